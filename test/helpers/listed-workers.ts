import { WorkerStatus, type WorkerSummary } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { GrpcClients } from './grpc-client.ts';

async function listed(clients: GrpcClients): Promise<WorkerSummary[]> {
  return (await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false })).rows;
}

export async function activeWorkers(clients: GrpcClients): Promise<number> {
  return (await listed(clients)).filter(({ status }) => status === WorkerStatus.WORKER_STATUS_ACTIVE).length;
}

export async function slotsUsed(clients: GrpcClients): Promise<number> {
  return (await listed(clients)).flatMap(({ slots }) => slots).reduce((sum, { used }) => sum + used, 0);
}
