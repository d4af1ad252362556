import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineHeap } from '../../../engine/plan/timers/deadline-heap.ts';
import { TaskTable } from '../../../engine/plan/state/table/task-table.ts';
import { UndoLog } from '../../../engine/plan/state/undo-log.ts';
import type { TaskRow } from '../../../engine/plan/state/table/rows.ts';

const uuid = fc.uuid();

describe('task table', () => {
  it('finds what a Map would, over adds, ends and growth', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(uuid, fc.boolean()), { maxLength: 300 }), (steps) => {
        const table = new TaskTable();
        const undo = new UndoLog();
        const model = new Map<string, TaskRow>();
        for (const [id, remove] of steps) {
          if (!model.has(id)) model.set(id, table.add(id, undo));
          const [oldest] = model;
          if (remove && oldest !== undefined) {
            table.end(oldest[1], undo);
            expect(table.find(oldest[0])).toBeUndefined();
            table.sweep(oldest[1]);
            model.delete(oldest[0]);
          }
        }
        for (const [id, row] of model) {
          expect(table.find(id)).toBe(row);
          expect(table.id(row)).toBe(id);
        }
        expect(table.size).toBe(model.size);
        expect([...table.rows()].sort((a, b) => a - b)).toEqual([...model.values()].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('gives an id in one form, in whatever form it was asked for, and a row used again has its new id', () => {
    const table = new TaskTable();
    const undo = new UndoLog();
    const id = '0190abcd-ef01-7234-8567-89abcdef0123';
    for (const form of [id.toUpperCase(), id.replaceAll('-', '_'), id]) {
      const row = table.add(form, undo);
      expect(table.find(id.toUpperCase())).toBe(row);
      expect(table.find(id.replaceAll('-', '_'))).toBe(row);
      expect(table.id(row)).toBe(id);
      table.end(row, undo);
      table.sweep(row);
      const other = '0190abcd-ef01-7234-8567-89abcdef0124';
      expect(table.add(other, undo)).toBe(row);
      expect(table.id(row)).toBe(other);
      table.end(row, undo);
      table.sweep(row);
    }
  });

  it.each(['', 'x', '0190abcd', '0190abcd-ef01-7234-8567-89abcdef012g', '00000000-0000-0000-0000-00000000000é'])(
    'has no task %j',
    (id) => {
      const table = new TaskTable();
      table.insert('00000000-0000-0000-0000-000000000000');
      expect(table.find(id)).toBeUndefined();
    },
  );

  it('takes back adds, writes and ends, across a growth', () => {
    const table = new TaskTable();
    const undo = new UndoLog();
    const kept = table.insert('00000000-0000-7000-8000-000000000001');
    table.write('attempt', kept, 3, undo);
    undo.clear();
    table.write('attempt', kept, 4, undo);
    table.end(kept, undo);
    for (let i = 2; i < 500; i++) table.add(`00000000-0000-7000-8000-${String(i).padStart(12, '0')}`, undo);
    undo.rollback();
    expect(table.size).toBe(1);
    expect(table.find('00000000-0000-7000-8000-000000000001')).toBe(kept);
    expect(table.attempt[kept]).toBe(3);
  });

  it.each([
    { name: 'in their last 24 bits alone', id: (hex: string) => `01900000-0000-7000-8000-000000${hex}` },
    { name: 'in their first 24 bits alone', id: (hex: string) => `${hex}00-0000-7000-8000-00000000000a` },
    {
      name: 'in bits 32 to 48 of their random part',
      id: (hex: string) => `01900000-0000-7000-8${hex.slice(3)}-${hex.slice(0, 3)}000000000`,
    },
    { name: 'in nothing but a multiple of 65,536', id: (hex: string) => `01900000-0000-7000-8000-00${hex}0000` },
  ])('finds ids that differ $name as quickly as others', ({ id }) => {
    const table = new TaskTable();
    const ids = Array.from({ length: 4096 }, (_, i) => id(i.toString(16).padStart(6, '0')));
    for (const each of ids) table.insert(each);
    const before = table.probes;
    for (const each of ids) expect(table.find(each)).toBeGreaterThanOrEqual(0);
    expect((table.probes - before) / ids.length).toBeLessThan(3);
  });

  it('needs at most 150 bytes a task', () => {
    const table = new TaskTable();
    for (let i = 0; i < 100_000; i++) table.insert(`00000000-0000-7000-8000-${String(i).padStart(12, '0')}`);
    expect(table.bytes / table.size).toBeLessThan(150);
  });
});

it('says so when a row is given back twice, instead of looking for it for ever', () => {
  const table = new TaskTable();
  const row = table.insert('00000000-0000-7000-8000-000000000001');
  table.sweep(row);
  expect(() => table.sweep(row)).toThrow(`task row ${row} is not in the index`);
});

describe('deadline heap', () => {
  it('gives the earliest first, whatever was set, moved and cleared', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(1000)), { maxLength: 200 }), (steps) => {
        const table = new TaskTable();
        const rows = Array.from({ length: 31 }, (_, i) =>
          table.insert(`00000000-0000-7000-8000-${String(i).padStart(12, '0')}`),
        );
        const heap = new DeadlineHeap(table);
        const undo = new UndoLog();
        const model = new Map<number, number>();
        const set = (pick: number, due: number, log?: UndoLog): void => {
          const row = rows[pick];
          if (row !== undefined) heap.set(row, due, log);
        };
        for (const [pick, due] of steps) {
          set(pick, due);
          if (due === 0) model.delete(pick);
          else model.set(pick, due);
        }
        for (const [pick, due] of steps) set(pick, (due * 7) % 1001, undo);
        undo.rollback();
        const order: number[] = [];
        for (let { first } = heap; first !== undefined; first = heap.first) {
          order.push(heap.nextUs);
          heap.set(first, 0);
        }
        expect(order).toEqual([...model.values()].sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});
