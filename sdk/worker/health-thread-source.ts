/**
 * The program of the health thread: a text, as that of the heartbeat is, and a thread of its own, so that it answers while the
 * event loop of the tasks is blocked, which is what it has to tell. `workerData`: {port, bindAddress, blockThresholdMs}. It gets
 * the states of the process's workers, and takes their absence for a blocked loop; it posts {error}, or {} once it listens.
 */
export const healthSource = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const http = require('node:http');
let workers = [];
let lagMs = 0;
let heardAt = performance.now();

parentPort.on('message', (message) => {
  workers = message.workers;
  lagMs = message.lagMs;
  heardAt = performance.now();
});

const silentMs = () => performance.now() - heardAt;
const isBlocked = () => silentMs() > workerData.blockThresholdMs;
const isHealthy = (worker) => worker.connected && !isBlocked();
const allHealthy = () => workers.length > 0 && workers.every(isHealthy);

function health() {
  const [first] = workers;
  return JSON.stringify({
    status: allHealthy() ? 'HEALTHY' : 'UNHEALTHY',
    reason: allHealthy() ? undefined : isBlocked() ? 'the event loop is blocked' : workers.length === 0 ? 'no worker runs' : 'the engine is away',
    ...first,
    nodeVersion: process.version,
    workers: workers.map((worker) => ({ ...worker, status: isHealthy(worker) ? 'HEALTHY' : 'UNHEALTHY' })),
  });
}

const escaped = (text) => text.replaceAll('\\\\', '\\\\\\\\').replaceAll('"', '\\\\"').replaceAll('\\n', '\\\\n');
const gauge = (name, help, rows) => ['# HELP ' + name + ' ' + help, '# TYPE ' + name + ' gauge', ...rows, ''].join('\\n');
const each = (name, help, read) => gauge(name, help, workers.map((worker) => name + '{worker="' + escaped(worker.name) + '"} ' + read(worker)));

function metrics() {
  return [
    each('hatchet_worker_status', '1 where the worker listens for tasks and the event loop is not blocked', (worker) => (isHealthy(worker) ? 1 : 0)),
    each('hatchet_worker_slots', 'Tasks that the worker runs at once', ({ slots }) => slots),
    each('hatchet_worker_actions', 'Tasks that the worker has registered', ({ actions }) => actions.length),
    each('hatchet_worker_running_tasks', 'Attempts that run, or whose result is on its way', ({ running }) => running),
    gauge('hatchet_worker_event_loop_lag_seconds', 'How late the event loop is', ['hatchet_worker_event_loop_lag_seconds ' + Math.max(lagMs, silentMs() - 1000) / 1000]),
    gauge('process_resident_memory_bytes', 'Memory of the process', ['process_resident_memory_bytes ' + process.memoryUsage.rss()]),
  ].join('');
}

function answer(path) {
  if (path === '/health') return [allHealthy() ? 200 : 503, 'application/json', health()];
  if (path === '/readyz') return allHealthy() ? [200, 'text/plain', 'ok'] : [503, 'text/plain', 'not ready'];
  if (path === '/livez') return isBlocked() ? [503, 'text/plain', 'the event loop is blocked'] : [200, 'text/plain', 'ok'];
  if (path === '/metrics') return [200, 'text/plain; version=0.0.4; charset=utf-8', metrics()];
  return [404, 'text/plain', 'Not Found: there are /health, /readyz, /livez and /metrics'];
}

const server = http.createServer((request, response) => {
  if (request.method !== 'GET' && request.method !== 'HEAD') return response.writeHead(405, { allow: 'GET, HEAD' }).end();
  const [code, type, body] = answer(request.url.split('?')[0]);
  response.writeHead(code, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body);
});
server.on('error', (error) => parentPort.postMessage({ error: error.message }));
server.listen(workerData.port, workerData.bindAddress, () => parentPort.postMessage({}));
`;
