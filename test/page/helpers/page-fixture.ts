import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import type { EngineOptions, RunningEngine } from '../../../engine/index.ts';
import { engineFixture, type EngineFixture } from '../../helpers/engine-fixture.ts';
import { MonitorHttp } from '../../helpers/monitor-http.ts';
import { launchChromium } from './launch-chromium.ts';
import { watchedPage } from './watched-page.ts';

interface OpenOptions {
  /** What the test means to go wrong in the page; see `watchedPage`. */
  expected?: readonly RegExp[];
}

/** An engine that serves the page, and a browser for the tests of a file. */
class PageFixture {
  readonly engine: EngineFixture<RunningEngine>;
  #browser: Browser | undefined;

  constructor(engine: EngineFixture<RunningEngine>) {
    this.engine = engine;
  }

  get origin(): string {
    const { host, port } = this.engine.engine.http;
    return `http://${host}:${port}`;
  }

  get browser(): Browser {
    if (this.#browser === undefined) throw new Error('the browser has not started yet: use it in hooks and tests');
    return this.#browser;
  }

  async start(): Promise<void> {
    this.#browser = await launchChromium();
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
  }

  /** An address that signs in with a token, once. @param token default the engine's own */
  async link(token = this.engine.token): Promise<string> {
    const { http } = this.engine.engine;
    const answer = await new MonitorHttp({ http, token }).post('/api/v1/page/links');
    if (answer.status !== 200) throw new Error(`no link was made: ${await answer.text()}`);
    const { code }: { code: string } = Object(await answer.json());
    return `${this.origin}/sign-in#code=${code}`;
  }

  /** A page that nobody has signed in to. */
  async open(path = '/', { expected = [] }: OpenOptions = {}): Promise<Page> {
    const page = await watchedPage({ browser: this.browser, origin: this.origin, expected });
    await page.goto(path);
    return page;
  }

  /** A page that is signed in by a link, and shows a path. */
  async signedIn(path = '/', options: OpenOptions & { token?: string } = {}): Promise<Page> {
    const page = await watchedPage({ browser: this.browser, origin: this.origin, expected: options.expected ?? [] });
    const known = page.waitForResponse((response) => response.url().endsWith('/api/v1/page/me') && response.ok());
    await page.goto(await this.link(options.token));
    await known;
    if (path !== '/') await page.goto(path);
    return page;
  }
}

export type { PageFixture };

/** For the tests of the file that calls it. What is prepared below the call finds both running. */
export function pageFixture(name: string, options: EngineOptions = {}): PageFixture {
  const fixture = new PageFixture(engineFixture(name, options));
  beforeAll(() => fixture.start());
  afterAll(() => fixture.stop());
  return fixture;
}
