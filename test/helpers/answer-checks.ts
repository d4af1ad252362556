import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import openApiDocument from '../../proto/gen/rest/openapi.json' with { type: 'json' };
import type { OpenApiDocument, Operation } from '../../engine/rest/document/document-shape.ts';

export interface SeenAnswer {
  method: string;
  url: string;
  status: number;
  /** Undefined where it was too long to keep. */
  body: string | undefined;
}

interface Place {
  method: string;
  route: string;
  pattern: RegExp;
  operation: Operation;
}

const failed = '#/components/responses/Failed/content/application~1json/schema';

/** Compares answers with the OpenAPI document. What a schema does not name may not be there, unlike for clients. */
export class AnswerChecks {
  readonly #ajv = new Ajv2020({
    formats: fullFormats,
    // The document's own, beside the schemas in it.
    keywords: ['components', 'paths'],
    allErrors: true,
    allowUnionTypes: true,
  });
  readonly #places: readonly Place[];
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument = openApiDocument) {
    this.#ajv.addSchema(
      { $id: 'api', ...closed({ components: document.components, paths: document.paths }) },
      'api',
      false,
      false,
    );
    this.#places = Object.entries(document.paths)
      .flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({
          method: method.toUpperCase(),
          route: path,
          pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
          operation,
        })),
      )
      // `events/keys` before `events/{event}`.
      .sort((a, b) => a.route.split('{').length - b.route.split('{').length);
  }

  /** Undefined where the document says the same. */
  difference({ method, url, status, body }: SeenAnswer): string | undefined {
    const path = url.replace(/[?#].*/s, '');
    const place = this.#places.find((each) => each.method === method && each.pattern.test(path));
    const where = `${method} ${path} answered ${status}`;
    const answer = place?.operation.responses[String(status)];
    if (place === undefined || answer === undefined)
      return status < 400 ? `${where}, of which the document says nothing` : this.#checked(where, failed, body);
    const { content = {} } = answer;
    const [type] = Object.keys(content);
    if (type === undefined) return body === '' ? undefined : `${where} with a body, of which the document says nothing`;
    const at = ['paths', place.route, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
    return this.#checked(where, `#/${at.map(pointerPart).join('/')}`, body, type);
  }

  #checked(where: string, pointer: string, body: string | undefined, type = 'application/json'): string | undefined {
    if (body === undefined) return undefined;
    let value: unknown = body;
    if (type === 'application/json') {
      try {
        value = JSON.parse(body);
      } catch {
        return `${where} with ${JSON.stringify(body.slice(0, 200))}, which is no JSON`;
      }
    }
    const validate = this.#validator(pointer);
    if (validate(value)) return undefined;
    const errors = (validate.errors ?? [])
      .slice(0, 5)
      .map((error) => `${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`);
    return `${where}, which differs from the document: ${errors.join('; ')}: ${body.slice(0, 1000)}`;
  }

  #validator(pointer: string): ValidateFunction {
    const known = this.#validators.get(pointer);
    if (known !== undefined) return known;
    const made = this.#ajv.compile({ $ref: `api${pointer}` });
    this.#validators.set(pointer, made);
    return made;
  }
}

function pointerPart(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** The same, where objects have no members but those named. */
function closed<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, each: unknown) =>
    isObjectSchema(each) && each.additionalProperties === undefined ? { ...each, additionalProperties: false } : each,
  );
}

function isObjectSchema(value: unknown): value is { properties: object; additionalProperties?: unknown } {
  return (
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'object' && 'properties' in value
  );
}
