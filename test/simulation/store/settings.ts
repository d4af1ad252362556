import type { ClientConfig } from 'pg';
import { refusal } from './refusal.ts';

/** Of a session: those that decide anything here. 0 is for ever. */
export class Settings {
  statementMs: number;
  lockMs: number;
  idleInTransactionMs: number;
  /** How long a statement waits before it looks for a deadlock. */
  deadlockMs = 1_000;
  waitsForDisk = true;

  constructor(config: ClientConfig) {
    this.statementMs = Number(config.statement_timeout ?? 0);
    this.lockMs = config.lock_timeout ?? 0;
    this.idleInTransactionMs = config.idle_in_transaction_session_timeout ?? 0;
    for (const [, name = '', value = ''] of (config.options ?? '').matchAll(/-c (\w+)=(\S+)/g)) this.#set(name, value);
  }

  /** @returns whether it is a statement of this kind */
  take(text: string): boolean {
    const [, name = '', value = ''] = /^SET (\w+) = '?(\w+)'?$/.exec(text) ?? [];
    if (name === '') return false;
    this.#set(name, value);
    return true;
  }

  #set(name: string, value: string): void {
    switch (name) {
      case 'statement_timeout':
        this.statementMs = millisecondsOf(value);
        break;
      case 'lock_timeout':
        this.lockMs = millisecondsOf(value);
        break;
      case 'idle_in_transaction_session_timeout':
        this.idleInTransactionMs = millisecondsOf(value);
        break;
      case 'deadlock_timeout':
        this.deadlockMs = millisecondsOf(value);
        break;
      case 'synchronous_commit':
        this.waitsForDisk = value !== 'off';
        break;
      case 'plan_cache_mode':
      case 'tcp_user_timeout':
      case 'enable_seqscan':
        break;
      default:
        throw refusal('42704', `unrecognized configuration parameter "${name}"`);
    }
  }
}

function millisecondsOf(text: string): number {
  const [, number = '', unit = 'ms'] = /^(\d+)(ms|s|min)?$/.exec(text) ?? [];
  if (number === '') throw refusal('22023', `invalid value: "${text}"`);
  return Number(number) * { ms: 1, s: 1_000, min: 60_000 }[unit === 's' || unit === 'min' ? unit : 'ms'];
}
