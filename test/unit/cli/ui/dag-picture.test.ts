import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dagPicture, type Picture } from '../../../../cli/ui/model/run/dag-picture.ts';

const text = (picture: Picture | undefined): string =>
  (picture ?? [])
    .map((line) =>
      line
        .map((segment) => segment.text)
        .join('')
        .trimEnd(),
    )
    .join('\n');
const node = (name: string, ...parents: string[]) => ({ name, parents, mark: '○' });

describe('dagPicture', () => {
  it('draws a diamond', () => {
    expect(
      text(dagPicture([node('a'), node('b', 'a'), node('c', 'a'), node('d', 'b', 'c')], { columns: 80, rows: 9 })),
    ).toBe(['○ a ─┬▶○ b ──┬▶○ d', '     └▶○ c ──┘'].join('\n').replaceAll('─┬▶', '─┬─▶').replaceAll('└▶', '└─▶'));
  });

  it('leads an edge around the layers between', () => {
    const picture = text(dagPicture([node('a'), node('b', 'a'), node('c', 'a', 'b')], { columns: 80, rows: 9 }));
    expect(picture.split('\n')).toHaveLength(2);
    expect(picture).toMatch(/○ a .*○ b .*▶○ c/);
    expect(picture).toMatch(/└─+/);
  });

  it('gives up where there is no room, and draws nothing of nothing', () => {
    expect(dagPicture([node('a'), node('b'), node('c')], { columns: 80, rows: 2 })).toBeUndefined();
    expect(
      dagPicture([node('a-long-name'), node('b-long-name', 'a-long-name')], { columns: 12, rows: 9 }),
    ).toBeUndefined();
    expect(dagPicture([], { columns: 80, rows: 9 })).toEqual([]);
  });

  it('shows every task of any graph once, on lines of one width', () => {
    const graph = fc
      .integer({ min: 1, max: 9 })
      .chain((count) =>
        fc
          .tuple(
            ...Array.from({ length: count }, (_, index) =>
              fc.subarray(Array.from({ length: index }, (__, parent) => `n${parent}`)),
            ),
          )
          .map((parents) => parents.map((own, index) => node(`n${index}`, ...own))),
      );
    fc.assert(
      fc.property(graph, (nodes) => {
        const picture = dagPicture(nodes, { columns: 500, rows: 60 });
        expect(picture).toBeDefined();
        const named = (picture ?? []).flatMap((line) => line.flatMap((segment) => segment.node ?? []));
        expect(named.sort()).toEqual(nodes.map((one) => one.name).sort());
        const arrows = text(picture).split('▶').length - 1;
        expect(arrows).toBe(nodes.filter((one) => one.parents.length > 0).length);
      }),
    );
  });

  it('gives up on 1,000 tasks that all depend on each other, and on a chain of them, before it draws an edge', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `n${index}`);
    expect(
      dagPicture(
        names.map((name, index) => node(name, ...names.slice(0, index))),
        { columns: 200, rows: 50 },
      ),
    ).toBeUndefined();
    expect(
      dagPicture(
        names.map((name, index) => node(name, ...names.slice(Math.max(0, index - 1), index))),
        { columns: 200, rows: 50 },
      ),
    ).toBeUndefined();
  });

  it('survives a graph that is none', () => {
    expect(dagPicture([node('a', 'b'), node('b', 'a')], { columns: 80, rows: 9 })).toBeDefined();
    expect(dagPicture([node('a', 'a', 'gone')], { columns: 80, rows: 9 })).toBeDefined();
  });
});
