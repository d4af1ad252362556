import { createHash } from 'node:crypto';
import openApiDocument from '../../../proto/gen/rest/openapi.json' with { type: 'json' };
import type { Router } from '../gated-router.ts';
import { docsPage, docsStyle } from './docs-page.ts';
import type { OpenApiDocument } from './document-shape.ts';

/** The page has one style and nothing else; the browser is told to load and run nothing. */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(docsStyle).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const document: OpenApiDocument = openApiDocument;

/** What this API is: for programs, and as a page for people. Open to all: it says nothing of this engine or its tenants. */
export function registerDocumentRoutes(router: Router): void {
  let text: string | undefined;
  let page: string | undefined;
  router.get('/api/v1/openapi.json', (context) =>
    context.body((text ??= JSON.stringify(document)), 200, { 'content-type': 'application/json' }),
  );
  router.get('/api/v1/docs', (context) => context.html((page ??= docsPage(document)), 200, pageHeaders));
}
