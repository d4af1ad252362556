/** As far as this project uses JSON Schema. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  enum?: (string | number)[];
  const?: string;
  anyOf?: Schema[];
  [bound: string]: unknown;
}

export interface Content {
  [type: string]: { schema: Schema };
}

export interface Answer {
  $ref?: string;
  description?: string;
  content?: Content;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description: string;
  schema: Schema;
}

export interface Operation {
  operationId: string;
  /** As in engine/edge/access/rule.ts. */
  'x-permission': string;
  summary: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Answer>;
}

type Paths = Record<string, Record<string, Operation>>;

/** One file of proto/rest. */
export interface Topic {
  description: string;
  paths: Paths;
  schemas?: Record<string, Schema>;
  parameters?: Record<string, Parameter>;
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; summary: string; description: string; version: string };
  tags: { name: string; description: string }[];
  paths: Paths;
  components: {
    securitySchemes: Record<string, unknown>;
    schemas: Record<string, Schema>;
    parameters: Record<string, Parameter>;
    responses: Record<string, Answer>;
  };
}
