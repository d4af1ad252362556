import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inParts, partRows } from '../../../engine/plan/commands/command-kind.ts';

it('cuts what a call brings into parts in its order, none larger than it must be, and none that could be joined', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2 * partRows }), { maxLength: 60 }), (items) => {
      const parts = inParts(items, (rows) => rows);
      expect(parts.flat()).toEqual(items);
      const sizes = parts.map((part) => part.reduce((sum, rows) => sum + rows, 0));
      for (const [at, part] of parts.entries()) {
        expect(part.length).toBeGreaterThan(0);
        expect((sizes[at] ?? 0) <= partRows || part.length === 1).toBe(true);
        const next = parts[at + 1]?.[0];
        if (next !== undefined) expect((sizes[at] ?? 0) + next).toBeGreaterThan(partRows);
      }
    }),
  );
});
