import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TaskIndex } from '../../../engine/plan/state/table/task-index.ts';

const idOf = (n: number): string => `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** A table like the planner's: rows are reused, and each id is in it once at the most. */
class Rows {
  readonly ids: (number | undefined)[] = [];
  readonly free: number[] = [];
  readonly rowOf = new Map<number, number>();
  readonly index = new TaskIndex((row) => this.ids[row] !== undefined);

  add(id: number): void {
    const row = this.free.pop() ?? this.ids.length;
    this.ids[row] = id;
    this.rowOf.set(id, row);
    this.index.add(row, idOf(id));
  }

  remove(id: number): void {
    const row = this.rowOf.get(id) ?? -1;
    this.ids[row] = undefined;
    this.rowOf.delete(id);
    this.index.remove(row);
    expect(() => this.index.remove(row)).toThrow('is not in the index');
    this.free.push(row);
  }

  check(most: number): void {
    for (let id = 0; id < most; id++) expect(this.index.find(idOf(id))).toBe(this.rowOf.get(id) ?? -1);
  }
}

it('finds each row by its id and no other, whatever came and went, also while an outgrown table is being moved', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ adds: fc.nat(120), removes: fc.nat(80), from: fc.nat(1_000) }), { maxLength: 14 }),
      (rounds) => {
        const rows = new Rows();
        let next = 0;
        for (const { adds, removes, from } of rounds) {
          for (let n = 0; n < adds; n++) rows.add(next++);
          // An id that was removed may come again, on another row.
          for (let n = 0; n < removes; n++) {
            const id = (from + n * 7) % Math.max(1, next);
            if (rows.rowOf.has(id)) rows.remove(id);
            else if (n % 3 === 0 && next > 0) rows.add(id);
          }
          rows.check(next);
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('moves a table that it has outgrown a few entries at a time', () => {
  const rows = new Rows();
  let longest = 0;
  for (let id = 0; id < 100_000; id++) {
    const before = rows.index.moves;
    rows.add(id);
    longest = Math.max(longest, rows.index.moves - before);
  }
  expect(longest).toBeLessThanOrEqual(32);
  for (let id = 0; id < 100_000; id += 997) expect(rows.index.find(idOf(id))).toBe(id);
});
