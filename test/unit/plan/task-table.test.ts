import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineHeap } from '../../../engine/plan/timers/deadline-heap.ts';
import { TaskTable } from '../../../engine/plan/state/task-table.ts';
import { UndoLog } from '../../../engine/plan/state/undo-log.ts';

const uuid = fc.uuid();

describe('task table', () => {
  it('finds what a Map would, over adds, ends and growth', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(uuid, fc.boolean()), { maxLength: 300 }), (steps) => {
        const table = new TaskTable();
        const undo = new UndoLog();
        const model = new Map<string, number>();
        for (const [id, remove] of steps) {
          if (!model.has(id)) model.set(id, table.add(id, undo));
          const [oldest] = model;
          if (remove && oldest !== undefined) {
            table.end(oldest[1], undo);
            expect(table.find(oldest[0])).toBe(-1);
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
    table.probes = 0;
    for (const each of ids) expect(table.find(each)).toBeGreaterThanOrEqual(0);
    expect(table.probes / ids.length).toBeLessThan(3);
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
        const set = (pick: number, due: number, log?: UndoLog): void => heap.set(rows[pick] ?? 0, due, log);
        for (const [pick, due] of steps) {
          set(pick, due);
          if (due === 0) model.delete(pick);
          else model.set(pick, due);
        }
        for (const [pick, due] of steps) set(pick, (due * 7) % 1001, undo);
        undo.rollback();
        const order: number[] = [];
        while (heap.first >= 0) {
          order.push(heap.nextUs);
          heap.set(heap.first, 0);
        }
        expect(order).toEqual([...model.values()].sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});
