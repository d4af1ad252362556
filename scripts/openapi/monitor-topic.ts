import {
  createFileRegistry,
  fromBinary,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { routeRules } from '../../engine/edge/access/route-rules.ts';
import type { Operation, Schema, Topic } from '../../engine/rest/document/document-shape.ts';
import { descriptorSet } from '../descriptors.ts';

const service = 'hatchet.monitor.v1.MonitorService';
/** Names of the protos stand beside those of the REST contract. */
const prefix = 'Monitor';

/** The monitoring service over HTTP: what its protos say, as a topic of the document. */
export function monitorTopic(): Topic {
  const set = fromBinary(FileDescriptorSetSchema, Buffer.from(descriptorSet({ hasComments: true }), 'base64'));
  const found = createFileRegistry(set).getService(service);
  if (found === undefined) throw new Error(`there is no ${service}`);
  const comments = commentsOf(found.file);
  const schemas: Record<string, Schema> = {};
  const paths: Topic['paths'] = {};
  for (const [route, { needs }] of Object.entries(routeRules)) {
    const [, name] = /^POST \/api\/v1\/monitor\/(\w+)$/.exec(route) ?? [];
    if (name === undefined) continue;
    const method = found.methods.find((each) => each.name === name);
    if (method === undefined) throw new Error(`${service} has no method ${name}`);
    paths[`/api/v1/monitor/${name}`] = { post: operationOf(method, needs, comments) };
    addSchemas(schemas, method.input, { comments, isAnswer: false });
    addSchemas(schemas, method.output, { comments, isAnswer: true });
  }
  return {
    description:
      'The monitoring service of the gRPC API, for programs that speak HTTP: requests and answers are its messages in the JSON form of Protocol Buffers. An empty body is an empty request.',
    paths,
    schemas,
  };
}

function operationOf(method: DescMethod, needs: string, comments: Comments): Operation {
  const comment = comments.of(method) ?? method.name;
  const [first = '', ...rest] = comment.split(/(?<=\.) /);
  return {
    operationId: `monitor${method.name}`,
    'x-permission': needs,
    summary: first.replace(/\.$/, ''),
    ...(rest.length === 0 ? {} : { description: rest.join(' ') }),
    requestBody: { required: false, content: { 'application/json': { schema: refTo(method.input) } } },
    responses: {
      '200':
        method.methodKind === 'unary'
          ? { description: 'The answer.', content: { 'application/json': { schema: refTo(method.output) } } }
          : {
              description:
                'Server-sent events: `data` holds a message each. The event `end` comes last, or the event `error` with `code` and `description`.',
              content: { 'text/event-stream': { schema: { type: 'string', contentSchema: refTo(method.output) } } },
            },
    },
  };
}

/** The message, and those in it. In answers all fields without presence of their own are written. */
function addSchemas(
  schemas: Record<string, Schema>,
  message: DescMessage,
  options: { comments: Comments; isAnswer: boolean },
): void {
  const name = nameOf(message);
  if (name in schemas) return;
  const { comments, isAnswer } = options;
  const description = comments.of(message);
  const schema: Schema = { type: 'object', ...(description === undefined ? {} : { description }) };
  schemas[name] = schema;
  const required = message.fields.filter((field) => field.presence === FeatureSet_FieldPresence.IMPLICIT);
  if (isAnswer && required.length > 0) schema.required = required.map((field) => field.jsonName);
  schema.properties = Object.fromEntries(
    message.fields.map((field) => {
      const told = comments.of(field);
      return [field.jsonName, { ...fieldSchema(field), ...(told === undefined ? {} : { description: told }) }];
    }),
  );
  for (const field of message.fields) {
    if (field.enum !== undefined) schemas[nameOf(field.enum)] ??= enumSchema(field.enum);
    if (field.message !== undefined && !isTimestamp(field.message)) addSchemas(schemas, field.message, options);
  }
}

function fieldSchema(field: DescField): Schema {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarSchema(field.scalar);
    case 'enum':
      return refTo(field.enum);
    case 'message':
      return messageSchema(field.message);
    case 'list':
      return { type: 'array', items: elementSchema(field) };
    case 'map':
      return { type: 'object', additionalProperties: elementSchema(field) };
  }
}

function elementSchema({ scalar, message, enum: values }: DescField): Schema {
  if (scalar !== undefined) return scalarSchema(scalar);
  if (values !== undefined) return refTo(values);
  return message === undefined ? {} : messageSchema(message);
}

function messageSchema(message: DescMessage): Schema {
  return isTimestamp(message) ? { type: 'string', format: 'date-time' } : refTo(message);
}

function isTimestamp({ typeName }: DescMessage): boolean {
  return typeName === 'google.protobuf.Timestamp';
}

function enumSchema({ values }: DescEnum): Schema {
  return { type: 'string', enum: values.map(({ name }) => name) };
}

function scalarSchema(scalar: ScalarType): Schema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return { type: 'integer' };
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return { type: 'string', pattern: '^-?\\d+$' };
    default:
      throw new Error(`no schema for the scalar ${ScalarType[scalar]}`);
  }
}

function refTo(desc: DescMessage | DescEnum): Schema {
  return { $ref: `#/components/schemas/${nameOf(desc)}` };
}

function nameOf({ name }: DescMessage | DescEnum): string {
  return `${prefix}${name}`;
}

interface Comments {
  of(desc: DescMethod | DescMessage | DescField): string | undefined;
}

/** What stands above each method, message and field of a file, on one line. */
function commentsOf(file: DescFile): Comments {
  const byPath = new Map(
    (file.proto.sourceCodeInfo?.location ?? []).map(({ path, leadingComments }) => [
      path.join('.'),
      leadingComments.trim().replaceAll(/\s*\n\s*/g, ' '),
    ]),
  );
  const pathOf = (desc: DescMethod | DescMessage | DescField): (number | undefined)[] => {
    switch (desc.kind) {
      case 'rpc':
        return [6, file.services.indexOf(desc.parent), 2, desc.parent.methods.indexOf(desc)];
      case 'message':
        return [4, file.messages.indexOf(desc)];
      case 'field':
        return [4, file.messages.indexOf(desc.parent), 2, desc.parent.fields.indexOf(desc)];
    }
  };
  return {
    of: (desc) => {
      const comment = byPath.get(pathOf(desc).join('.'));
      return comment === '' ? undefined : comment;
    },
  };
}
