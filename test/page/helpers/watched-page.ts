import { expect, onTestFinished } from 'vitest';
import type { Browser, Page } from 'playwright-core';

/** Said by the document's own listener, since browsers tell it in words of their own, each in others. */
const violation = 'content security policy violated:';

interface WatchOptions {
  browser: Browser;
  /** Of the engine that serves the page: it is to ask nobody else. */
  origin: string;
  /** What the test means to go wrong, all of it; anything else that does fails it. */
  expected?: readonly RegExp[];
}

/**
 * A page in a browser of its own, as one without cookies and storage, until the test ends. The test fails with what the page says on the
 * console that is wrong, throws, may not do by its policy, or asks of others.
 */
export async function watchedPage({ browser, origin, expected = [] }: WatchOptions): Promise<Page> {
  const context = await browser.newContext({ baseURL: origin, locale: 'en-US' });
  const problems: string[] = [];
  const note = (problem: string): void => void problems.push(problem);
  onTestFinished(async () => {
    await context.close();
    const isExpected = (problem: string): boolean => expected.some((pattern) => pattern.test(problem));
    expect(
      problems.filter((problem) => !isExpected(problem)),
      'what went wrong in the page',
    ).toEqual([]);
    expect(
      expected.filter((pattern) => !problems.some((problem) => pattern.test(problem))),
      'what did not go wrong in the page',
    ).toEqual([]);
  });
  await context.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => console.error('${violation}', event.violatedDirective, event.blockedURI));`,
  );
  context.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => note(`thrown: ${String(error.error())}`));
  context.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    const isInside = protocol === 'data:' || protocol === 'blob:' || asked === origin;
    if (!isInside) note(`asked ${request.url()}`);
  });
  return context.newPage();
}
