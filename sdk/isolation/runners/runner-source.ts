import type { IsolationLevel } from '../definition/isolation.ts';
import { runnerPortName } from '../in-runner/runner-port.ts';

/** What a runner is told at its start. */
export interface RunnerFacts {
  readonly level: IsolationLevel;
  /** URL of the module that declares its tasks. */
  readonly url: string;
  /** Whether the module was made from others, whose places errors are to name. */
  readonly isBundle: boolean;
  /** The arguments of the worker's program; none for a sandbox. */
  readonly args: readonly string[];
  /** Of a sandbox: the folder that is its own. */
  readonly folder: string | undefined;
  /** Of a sandbox: whether it may use the network. */
  readonly network: boolean;
}

/** The descriptor of a runner process over which it speaks with its worker. */
export const channelDescriptor = 3;

/**
 * The program of a runner: a text, as that of the heartbeat is. It evaluates the module that declares the tasks, and hands each
 * order to the SDK that the module has loaded. A message is a text of JSON: in a thread a message of its port, in a process a line.
 */
export function runnerSource(facts: RunnerFacts): string {
  return `'use strict';\nconst facts = ${JSON.stringify(facts)};\n${facts.level === 'sandbox' ? confinement : ''}${program}`;
}

const program = `
if (facts.isBundle) process.setSourceMapsEnabled(true);
// No path of a program: a module that asks whether it is the one that was started is not.
process.argv.splice(1, Infinity, '[hatchet runner]', ...facts.args);
const threads = require('node:worker_threads');
const tasks = new Map();
let isLoading = true;
let stoppedAt;
let failure;
let listener;
let settle;
const loaded = new Promise((resolve) => { settle = resolve; });

function endLoading() {
  isLoading = false;
  settle();
}

/** An answer for every value, whatever reading it does. */
function described(thrown) {
  const read = (key) => { try { const value = thrown[key]; return typeof value === 'string' ? value.slice(0, 20000) : undefined; } catch { return undefined; } };
  let text = 'a value that cannot be shown';
  try { text = String(thrown).slice(0, 20000); } catch {}
  return { message: read('message') ?? text, stack: read('stack'), code: read('code') };
}

function receive(text) {
  const message = JSON.parse(text);
  if (message.type !== 'run') return listener === undefined ? undefined : listener(text);
  void loaded.then(() => {
    const serve = tasks.get(message.home);
    if (failure !== undefined) send(JSON.stringify({ type: 'broken', failure }));
    else if (serve === undefined) send(JSON.stringify({ type: 'missing', known: [...tasks.keys()], stoppedAt }));
    else serve(text);
  });
}

let send;
let drained = async () => {};
if (threads.isMainThread) {
  const channel = new (require('node:net').Socket)({ fd: ${channelDescriptor}, readable: true, writable: true });
  // Whoever gave the work is gone.
  const end = () => process.exit(0);
  channel.on('end', end).on('error', end).on('close', end);
  let unread = '';
  channel.setEncoding('utf8').on('data', (chunk) => {
    unread += chunk;
    for (let end = unread.indexOf('\\n'); end !== -1; end = unread.indexOf('\\n')) {
      const line = unread.slice(0, end);
      unread = unread.slice(end + 1);
      receive(line);
    }
  });
  send = (text) => channel.write(text + '\\n');
  drained = async () => { if (channel.writableNeedDrain) await new Promise((resolve) => channel.once('drain', resolve)); };
  // They are for the worker, which lets its tasks finish.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
} else {
  const port = threads.parentPort;
  port.on('message', receive);
  send = (text) => port.postMessage(text);
}

process.on('uncaughtException', (thrown) => {
  if (process.listenerCount('uncaughtException') > 1) return;
  send(JSON.stringify({ type: 'fatal', failure: described(thrown) }));
  process.exit(1);
});

Object.defineProperty(globalThis, Symbol.for(${JSON.stringify(runnerPortName)}), { value: Object.freeze({
  level: facts.level,
  isLoading: () => isLoading,
  stopLoading: (at) => { stoppedAt ??= at; endLoading(); },
  offer: (home, serve) => tasks.set(home, serve),
  send,
  drained,
  hear: (hear) => { listener = hear; },
}) });

import(facts.url).catch((thrown) => { failure = described(thrown); }).finally(endLoading);
`;

/**
 * What a sandbox does not have. Node's permission model and the kernel refuse most of it before; where they do not, code that sets
 * its mind on it gets around this, and the guide says so.
 */
const confinement = `
const modules = require('node:module');
globalThis.require = modules.createRequire(facts.url); // of packages in CommonJS, which are part of the one file
process.chdir(facts.folder);
for (const name of Object.keys(process.env)) delete process.env[name]; // the shell that made the namespaces has left some

function refusal(what) {
  return Object.assign(new Error(what + ' is refused: the task runs in a sandbox'), { code: 'ERR_ACCESS_DENIED' });
}

function replace(owner, name, value) {
  Object.defineProperty(owner, name, { value, writable: false, configurable: false, enumerable: true });
}

replace(process, 'kill', () => { throw refusal('sending signals'); });
if (!facts.network) {
  const net = require('node:net');
  const dgram = require('node:dgram');
  const dns = require('node:dns');
  replace(net.Socket.prototype, 'connect', function connect() {
    process.nextTick(() => this.destroy(refusal('the network')));
    return this;
  });
  replace(net.Server.prototype, 'listen', () => { throw refusal('the network'); });
  for (const name of ['bind', 'connect', 'send']) replace(dgram.Socket.prototype, name, () => { throw refusal('the network'); });
  const refuse = (...values) => {
    const callback = values.at(-1);
    if (typeof callback !== 'function') throw refusal('the network');
    process.nextTick(callback, refusal('the network'));
  };
  for (const owner of [dns, dns.Resolver.prototype]) for (const name of Object.getOwnPropertyNames(owner)) if (/^(?:lookup|resolve|reverse)/.test(name)) replace(owner, name, refuse);
  for (const owner of [dns.promises, dns.promises.Resolver.prototype]) for (const name of Object.getOwnPropertyNames(owner)) if (/^(?:lookup|resolve|reverse)/.test(name)) replace(owner, name, async () => { throw refusal('the network'); });
}
modules.syncBuiltinESMExports();
`;
