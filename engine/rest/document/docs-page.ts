import type { Content, OpenApiDocument, Operation, Parameter, Schema } from './document-shape.ts';

export const docsStyle = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 13px ui-monospace, monospace; }
details { border: 1px solid #8886; border-radius: 4px; margin: .4rem 0; padding: .3rem .7rem; }
summary { cursor: pointer; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { border-top: 1px solid #8884; padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
ul { margin: 0; padding-left: 1.2rem; }
`;

/** The document as a page: plain HTML, without scripts. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags, components } = document;
  const topics = tags.map(
    ({ name, description }) =>
      `<h2 id="${name}">${escaped(name)}</h2><p>${escaped(description)}</p>${operationsOf(document, name)}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${name}"><summary><code>${name}</code></summary>${explained(schema.description)}${shape(schema)}</details>`,
  );
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(info.title)}</title>`,
    `<meta name="viewport" content="width=device-width"><style>${docsStyle}</style></head><body>`,
    `<h1>${escaped(info.title)}</h1><p>${escaped(info.summary)}</p><p>${escaped(info.description)}</p>`,
    `<p>${escaped(components.responses['Failed']?.description ?? '')}</p>`,
    `<p><a href="openapi.json">The document itself</a>, for programs.</p>`,
    `<nav><ul>${tags.map(({ name }) => `<li><a href="#${name}">${escaped(name)}</a></li>`).join('')}<li><a href="#schemas">schemas</a></li></ul></nav>`,
    ...topics,
    `<h2 id="schemas">schemas</h2>`,
    ...schemas,
    '</body></html>\n',
  ].join('\n');
}

function operationsOf(document: OpenApiDocument, tag: string): string {
  return Object.entries(document.paths)
    .flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, operation]) =>
        operation.tags?.includes(tag) === true
          ? [operationHtml(document, `${method.toUpperCase()} ${path}`, operation)]
          : [],
      ),
    )
    .join('\n');
}

function operationHtml(document: OpenApiDocument, route: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const named = parameters.map((each) => parameterOf(document, each));
  const answers = Object.entries(responses).flatMap(([status, answer]) =>
    answer.$ref === undefined
      ? [`<p>${status}: ${escaped(answer.description ?? '')} ${contentHtml(answer.content)}</p>`]
      : [],
  );
  return [
    `<details id="${operation.operationId}"><summary><code>${escaped(route)}</code> ${escaped(summary)}</summary>`,
    `<p>Permission: <code>${escaped(operation['x-permission'])}</code></p>${explained(description)}`,
    named.length === 0
      ? ''
      : `<table><tr><th>Parameter<th>In<th>Type<th>Meaning</tr>${named.map(parameterRow).join('')}</table>`,
    requestBody === undefined ? '' : `<p>Body: ${contentHtml(requestBody.content)}</p>`,
    ...answers,
    '</details>',
  ].join('');
}

function parameterOf({ components }: OpenApiDocument, parameter: Parameter | { $ref: string }): Parameter {
  if (!('$ref' in parameter)) return parameter;
  const found = components.parameters[parameter.$ref.replace(/.*\//, '')];
  if (found === undefined) throw new Error(`there is no ${parameter.$ref}`);
  return found;
}

function parameterRow({ name, in: place, required, description, schema }: Parameter): string {
  const need = required === true ? '' : ', optional';
  return `<tr><td><code>${escaped(name)}</code><td>${place}${need}<td>${shape(schema)}<td>${escaped(description)}</tr>`;
}

function contentHtml(content: Content | undefined): string {
  return Object.entries(content ?? {})
    .map(([type, { schema }]) => `<code>${escaped(type)}</code> ${shape(schema)}`)
    .join(' or ');
}

function shape(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace(/.*\//, '');
    return `<a href="#schema-${name}"><code>${name}</code></a>`;
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(shape).join(' or ');
  const type = escaped([schema.type ?? 'any'].flat().join(' or '));
  if (schema.items !== undefined) return `${type} of ${shape(schema.items)}${bounds(schema)}`;
  if (schema.properties === undefined) {
    const more = schema.additionalProperties;
    return `${type}${typeof more === 'object' ? ` of ${shape(more)}` : ''}${bounds(schema)}`;
  }
  const rows = Object.entries(schema.properties).map(([name, each]) => {
    const need = schema.required?.includes(name) === true ? '' : ' (optional)';
    const text = each.description === undefined ? '' : ` – ${escaped(each.description)}`;
    return `<li><code>${escaped(name)}</code>${need}: ${shape(each)}${text}</li>`;
  });
  return `${type}<ul>${rows.join('')}</ul>`;
}

const boundNames = [
  'format',
  'default',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
];

function bounds(schema: Schema): string {
  const said = boundNames.flatMap((name) =>
    schema[name] === undefined ? [] : [`${name} ${escaped(JSON.stringify(schema[name]))}`],
  );
  const values = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  if (values.length > 0) said.unshift(values.map((value) => `<code>${escaped(String(value))}</code>`).join(' '));
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
}

function explained(description: string | undefined): string {
  return description === undefined ? '' : `<p>${escaped(description)}</p>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
