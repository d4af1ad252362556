// Joins the topics of proto/rest, and that of the monitoring service, into one OpenAPI document, and writes it and the types of the
// answers to proto/gen/rest: `npm run generate`. test/unit/rest/openapi.test.ts compares what is committed with what this makes.
import { readdirSync, readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { answerTypes } from './openapi/answer-types.ts';
import { monitorTopic } from './openapi/monitor-topic.ts';
import type { Operation, OpenApiDocument, Topic } from '../engine/rest/document/document-shape.ts';

const root = join(import.meta.dirname, '..');
const source = join(root, 'proto/rest');
const generated = join(root, 'proto/gen/rest');
const head = 'openapi.yaml';

export function joinedDocument(): OpenApiDocument {
  const document: OpenApiDocument = parse(readFileSync(join(source, head), 'utf8'));
  document.tags = [];
  document.paths = {};
  for (const [name, topic] of topics()) {
    document.tags.push({ name, description: topic.description });
    addAll(document.components.schemas, topic.schemas ?? {}, name);
    addAll(document.components.parameters, topic.parameters ?? {}, name);
    for (const [path, operations] of Object.entries(topic.paths)) {
      const item = (document.paths[path] ??= {});
      addAll(
        item,
        Object.fromEntries(Object.entries(operations).map(([method, each]) => [method, completed(each, name)])),
        name,
      );
    }
  }
  return document;
}

function topics(): [name: string, topic: Topic][] {
  const files = readdirSync(source).filter((file) => file !== head);
  const written = files.map((file): [string, Topic] => [
    file.replace('.yaml', ''),
    parse(readFileSync(join(source, file), 'utf8')),
  ]);
  const all: [string, Topic][] = [...written, ['monitor', monitorTopic()]];
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What all operations have in common. */
function completed(operation: Operation, tag: string): Operation {
  return {
    tags: [tag],
    ...operation,
    security: operation['x-permission'] === 'anyone' ? [] : [{ token: [] }],
    responses: {
      ...operation.responses,
      '431': { $ref: '#/components/responses/HeadTooLong' },
      default: { $ref: '#/components/responses/Failed' },
    },
  };
}

function addAll<T>(all: Record<string, T>, more: Record<string, T>, topic: string): void {
  for (const [name, each] of Object.entries(more)) {
    if (name in all) throw new Error(`${topic}: ${name} is there already`);
    all[name] = each;
  }
}

export function generatedFiles(): Record<string, string> {
  const document = joinedDocument();
  return {
    'openapi.json': `${JSON.stringify(document, null, 1)}\n`,
    'answers.ts': answerTypes(document),
  };
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(generated, { recursive: true });
  for (const [name, text] of Object.entries(generatedFiles())) writeFileSync(join(generated, name), text);
}
