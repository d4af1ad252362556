/**
 * A tenant with very much of one thing, in a process of its own, which stands for other machines. Arguments: a scenario, the
 * engine's address, a token, the database's URL, and by what to divide the sizes. The parent calls for one phase after the other.
 */
import { LoadTenant } from './load-tenant.ts';
import { scenarios } from './scenarios.ts';

const [name = '', address = '', token = '', databaseUrl = '', divisor = '1'] = process.argv.slice(2);
const tenant = new LoadTenant({ address, token, databaseUrl, divisor: Number(divisor) });
const phases = scenarios[name]?.(tenant) ?? {};

process.on('message', (phase: string) => {
  void (async () => {
    const result = await phases[phase]?.();
    process.send?.({ result: result ?? {} });
  })();
});
process.on('disconnect', () => {
  tenant.close();
  process.exit();
});
process.send?.('ready');
