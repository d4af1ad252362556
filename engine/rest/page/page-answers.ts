import type { Context, Hono } from 'hono';
import type { RestEnv } from '../deps.ts';
import type { PageFile, PageFiles } from './page-files.ts';

/**
 * The document loads its own script and style and speaks to this engine, and the browser lets it do nothing else. What a task has put
 * out is shown as text; should that ever fail, nothing of it could run, load or send.
 */
const documentHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-cache',
};

/** Its name changes with what is in it. */
const assetHeaders = { 'cache-control': 'public, max-age=31536000, immutable' };

const notBuilt = 'The page is not built. Run `npm run build`, then start the engine again.\n';

/**
 * The page for people, to whom it shows what the API says: without a token, as there is nothing in it. Whatever path a browser asks
 * for, it gets the document, which shows what the path names.
 */
export function servePage(app: Hono<RestEnv>, page: PageFiles | undefined): void {
  app.get('/assets/:name', (context) => {
    const file = page?.assets.get(context.req.param('name'));
    return file === undefined ? context.notFound() : fileAnswer(context, file, assetHeaders);
  });
  app.get('*', async (context, next) => {
    const { path } = context.req;
    const isShown = path === '/' || wantsDocument(context);
    if (path === '/api' || path.startsWith('/api/') || path.startsWith('/assets/') || !isShown) return next();
    if (page === undefined) return context.text(notBuilt, 404);
    return fileAnswer(context, page.document, documentHeaders);
  });
}

/** As a browser does for an address that somebody has opened. */
function wantsDocument(context: Context<RestEnv>): boolean {
  return (context.req.header('accept') ?? '').includes('text/html');
}

function fileAnswer(
  context: Context<RestEnv>,
  { bytes, gzipped, type }: PageFile,
  headers: Readonly<Record<string, string>>,
): Response {
  const all = { ...headers, 'content-type': type, 'x-content-type-options': 'nosniff', vary: 'accept-encoding' };
  return gzipped !== undefined && takesGzip(context.req.header('accept-encoding') ?? '')
    ? context.body(gzipped, 200, { ...all, 'content-encoding': 'gzip' })
    : context.body(bytes, 200, all);
}

/** `q=0` says that it is not taken. */
function takesGzip(accepted: string): boolean {
  return accepted.split(',').some((each) => {
    const [name, ...parameters] = each.split(';').map((part) => part.trim());
    return name === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
