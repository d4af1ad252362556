import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from './engine-process.ts';

/** What pnpm makes of a workspace: an app, a package in TypeScript and one in CommonJS, which lie in node_modules as links. */
const files: Readonly<Record<string, string>> = {
  'package.json': '{ "private": true }',
  'pnpm-workspace.yaml': 'packages:\n  - app\n  - packages/*\n',
  'tsconfig.base.json':
    '{\n  // Shared by all.\n  "compilerOptions": { "target": "es2022", "module": "nodenext", "paths": { "@lib/*": ["./app/src/lib/*"] } }\n}',

  'packages/text/package.json': '{ "name": "@acme/text", "type": "module", "exports": "./src/index.ts" }',
  'packages/text/tsconfig.json':
    '{ "extends": "../../tsconfig.base.json", "compilerOptions": { "experimentalDecorators": true } }',
  'packages/text/src/index.ts': `
import { readFileSync } from 'node:fs';
function tagged(target: object, key: string): void {
  Reflect.set(target, key + 'Tag', 'tag 1');
}
class Text {
  @tagged word = readFileSync(new URL('./word.txt', import.meta.url), 'utf8').trim();
}
export const word: string = new Text().word;
export const tag: unknown = Reflect.get(Text.prototype, 'wordTag');
`,
  'packages/text/src/word.txt': 'word 1\n',

  'packages/legacy/package.json': '{ "name": "@acme/legacy", "main": "lib/index.js" }',
  'packages/legacy/lib/index.js': `
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
exports.legacy = 'legacy 1';
exports.beside = readFileSync(join(__dirname, 'beside.txt'), 'utf8').trim();
exports.helper = require('./helper').helper;
exports.sameSdk = () => require('hatchet-ts').Hatchet;
`,
  'packages/legacy/lib/helper.ts': `export const helper: string = 'helper 1 ' + __filename.slice(-9);\n`,
  'packages/legacy/lib/beside.txt': 'beside 1\n',

  'app/package.json': '{ "name": "app", "type": "module" }',
  'app/tsconfig.json': '{ "extends": "../tsconfig.base.json" }',
  'app/.env': 'SETTING=setting 1\n',
  'app/src/lib/path.ts': `export const path: string = 'path 1';\n`,
  'app/src/data.json': '{ "data": "data 1" }',
  'app/src/common.cts': `
import fs = require('node:fs');
const { join } = require('node:path') as typeof import('node:path');
export const common: string = 'common 1 ' + String(fs.existsSync(join(__dirname, 'thread.ts')));
`,
  'app/src/plugins/plugin.mts': `import { path } from '@lib/path.ts';\nexport default 'plugin 1 of ' + path as string;\n`,
  'app/src/thread.ts': `
import { parentPort } from 'node:worker_threads';
import { answer } from './thread-answer.js';
parentPort?.postMessage(answer as string);
`,
  'app/src/thread-answer.ts': `export const answer: string = 'thread 1 ' + import.meta.filename.slice(-16);\n`,
  'app/src/worker.ts': `
import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Hatchet } from 'hatchet-ts';
import { word, tag } from '@acme/text';
import { beside, helper, legacy, sameSdk } from '@acme/legacy';
import { path } from '@lib/path.ts';
import { common } from './common.cjs';
import { data } from './data.json';

const plugins = await Promise.all(readdirSync(new URL('./plugins/', import.meta.url)).map((name) => import(new URL('./plugins/' + name, import.meta.url).href)));
const thread = () => new Promise((resolve, reject) => new Worker(new URL('./thread.ts', import.meta.url)).once('message', resolve).once('error', reject));

const hatchet = Hatchet.init();
const report = hatchet.task({
  name: 'report',
  fn: async () => {
    const threaded: unknown = await thread();
    return JSON.parse(JSON.stringify({ word, tag, beside, helper, legacy, path, common, data, plugins: plugins.map((plugin) => plugin.default), threaded, setting: process.env.SETTING, oneSdk: sameSdk() === Hatchet, here: import.meta.url.slice(-17), folder: import.meta.dirname === __dirname, sep: require('node:path').posix.sep }));
  },
});
const worker = await hatchet.worker('monorepo', { workflows: [report] });
await worker.start();
`,
};

/** What the app's task reports of the files as they are made here. */
export const monorepoReport = {
  word: 'word 1',
  tag: 'tag 1',
  beside: 'beside 1',
  helper: 'helper 1 helper.ts',
  legacy: 'legacy 1',
  path: 'path 1',
  common: 'common 1 true',
  data: 'data 1',
  plugins: ['plugin 1 of path 1'],
  threaded: 'thread 1 thread-answer.ts',
  setting: 'setting 1',
  oneSdk: true,
  here: 'app/src/worker.ts',
  folder: true,
  sep: '/',
};

/** @returns the app's folder */
export function makeMonorepo(folder: string): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const from of ['app', 'packages/legacy']) link(packageRoot, join(folder, from, 'node_modules', 'hatchet-ts'));
  for (const name of ['text', 'legacy'])
    link(join(folder, 'packages', name), join(folder, 'app', 'node_modules', '@acme', name));
  return join(folder, 'app');
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, 'dir');
}
