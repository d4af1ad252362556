import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { routeRules } from '../../../engine/edge/access/route-rules.ts';
import { docsPage } from '../../../engine/rest/document/docs-page.ts';
import { generatedFiles, joinedDocument } from '../../../scripts/openapi.ts';
import { routePath } from '../../../scripts/openapi/answer-types.ts';

const document = joinedDocument();
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${routePath(path)}`,
    operation,
  })),
);

describe('the OpenAPI document', () => {
  it('is committed as its sources give it (npm run generate)', () => {
    const folder = join(import.meta.dirname, '../../../proto/gen/rest');
    for (const [name, text] of Object.entries(generatedFiles()))
      expect(readFileSync(join(folder, name), 'utf8') === text, `${name} is up to date`).toBe(true);
  });

  it('is valid', async () => {
    expect(await new Validator().validate(structuredClone({ ...document }))).toEqual({ valid: true });
  });

  it('has the routes of the engine, each with who may call it', () => {
    const told = operations.map(({ route, operation }) => [route, operation['x-permission']]);
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(routeRules).map(([route, { needs }]) => [route, needs])),
    );
    expect(told).toHaveLength(Object.keys(routeRules).length);
  });

  it('demands a token where the rule does', () => {
    for (const { route, operation } of operations)
      expect(operation.security, route).toEqual(operation['x-permission'] === 'anyone' ? [] : [{ token: [] }]);
  });

  it('declares each parameter of a path, and names each operation once', () => {
    for (const { route, operation } of operations) {
      const inPath = (operation.parameters ?? []).flatMap((given) => {
        const parameter = '$ref' in given ? document.components.parameters[given.$ref.replace(/.*\//, '')] : given;
        return parameter?.in === 'path' ? [parameter.name] : [];
      });
      expect(inPath, route).toEqual([...route.matchAll(/:(\w+)/g)].map(([, name]) => name));
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers to what it has, and has nothing that it does not refer to', () => {
    const text = JSON.stringify(document);
    const told = new Set([...text.matchAll(/"#\/components\/(\w+\/\w+)"/g)].map(([, name = '']) => name));
    const { schemas, parameters, responses } = document.components;
    const there = Object.entries({ schemas, parameters, responses }).flatMap(([kind, named]) =>
      Object.keys(named).map((name) => `${kind}/${name}`),
    );
    expect([...told].sort()).toEqual(there.sort());
  });

  it('is a page as well, which loads nothing and runs nothing', () => {
    const page = docsPage(document);
    for (const { route, operation } of operations) expect(page, route).toContain(`id="${operation.operationId}"`);
    expect(page).not.toMatch(/<script|<link|<img|\bsrc=|href="(?!#|openapi\.json")|\bstyle=|\bon\w+=/);
  });
});
