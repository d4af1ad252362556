import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Outbox } from '../../../link/outbox.ts';

it('keeps what is not acknowledged, in the order of its numbers, whatever is acknowledged in between', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), weight: fc.nat(100) }),
    fc.record({ kind: fc.constant('drop' as const), number: fc.nat(30) }),
    fc.record({ kind: fc.constant('through' as const), number: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const outbox = new Outbox<{ number: number; weight: number }>();
      let sent = 0;
      let kept: { number: number; weight: number }[] = [];
      for (const each of steps) {
        if (each.kind === 'add') {
          const { weight } = each;
          kept.push(outbox.add(weight, (number) => ({ number, weight })));
          expect(kept.at(-1)?.number).toBe(++sent);
        } else if (each.kind === 'drop') {
          expect(outbox.drop(each.number)).toEqual(kept.find(({ number }) => number === each.number));
          kept = kept.filter(({ number }) => number !== each.number);
        } else {
          outbox.dropThrough(each.number);
          kept = kept.filter(({ number }) => number > each.number);
        }
        expect([...outbox]).toEqual(kept);
        expect(outbox.size).toBe(kept.length);
        expect(outbox.weight).toBe(kept.reduce((sum, { weight }) => sum + weight, 0));
      }
    }),
  );
});
