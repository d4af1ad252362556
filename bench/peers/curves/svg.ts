/** A picture of a curve: panels one below the other on the same values, each line with its median and the span of its rounds. */
import { formatNumber, median } from '../statistics.ts';
import type { Curve, Line, Panel } from './curve.ts';

const width = 760;
const left = 70;
const right = 110;
const top = 48;
const panelHeight = 170;
const panelGap = 46;
const bottom = 32;
const colors = ['#1f6feb', '#d1570a', '#2da44e', '#8250df', '#bf3989'];
const ticks = 5;

interface Frame {
  xAt: (x: number) => number;
  yAt: (y: number) => number;
}

/** @param caption where and when it was measured */
export function drawCurve(curve: Curve, panels: readonly Panel[], caption: string): string {
  const height = top + panels.length * (panelHeight + panelGap) + bottom;
  const xs = [...new Set(panels.flatMap(({ lines }) => lines.flatMap((line) => line.points.map(({ x }) => x))))];
  xs.sort((a, b) => a - b);
  const xAt = curve.isLinear === true ? linear(xs) : equal(xs);
  const lowest = top + panels.length * (panelHeight + panelGap) - panelGap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escape(curve.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(left, 22, curve.title, 'font-size="16" font-weight="bold"'),
    ...panels.map((panel, n) => drawPanel(panel, xAt, top + n * (panelHeight + panelGap))),
    ...labelled(xs, curve.isLinear === true).map((x) =>
      text(xAt(x), lowest + 16, formatNumber(x), 'text-anchor="middle"'),
    ),
    text(left, lowest + 36, curve.xTitle),
    text(left, height - 12, caption, 'font-size="10" fill="#666"'),
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, lines }: Panel, xAt: Frame['xAt'], from: number): string {
  const most = Math.max(0, ...lines.flatMap((line) => line.points.flatMap(({ values }) => values)));
  const step = niceStep(most / ticks);
  const highest = Math.max(step, Math.ceil(most / step) * step);
  const [y0, y1] = [from + panelHeight, from + 14];
  const yAt = (y: number): number => y0 - (y / highest) * (y0 - y1);
  const grid = Array.from({ length: Math.round(highest / step) + 1 }, (_, n) => n * step).flatMap((y) => [
    `<line x1="${left}" x2="${width - right}" y1="${at(yAt(y))}" y2="${at(yAt(y))}" stroke="#ddd"/>`,
    text(left - 8, yAt(y) + 4, formatNumber(y, step < 1 ? 2 : 0), 'text-anchor="end"'),
  ]);
  return [
    text(left, from + 4, title, 'font-weight="bold"'),
    ...grid,
    ...lines.map((line, n) => drawLine(line, { xAt, yAt }, colors[n % colors.length] ?? '#000')),
    ...lines.map((line, n) =>
      text(width - right + 12, y1 + 12 + n * 18, line.name, `fill="${colors[n % colors.length]}" font-weight="bold"`),
    ),
  ].join('\n');
}

function drawLine({ points }: Line, { xAt, yAt }: Frame, color: string): string {
  const place = (x: number, y: number): string => `${at(xAt(x))},${at(yAt(y))}`;
  const middles = points.map(({ x, values }) => ({ x, y: median(values) }));
  const highest = points.map(({ x, values }) => place(x, Math.max(...values)));
  const lowest = points.map(({ x, values }) => place(x, Math.min(...values))).reverse();
  return [
    `<polygon points="${[...highest, ...lowest].join(' ')}" fill="${color}" fill-opacity="0.15"/>`,
    `<polyline points="${middles.map(({ x, y }) => place(x, y)).join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...middles.map(({ x, y }) => `<circle cx="${at(xAt(x))}" cy="${at(yAt(y))}" r="2.5" fill="${color}"/>`),
  ].join('\n');
}

function equal(xs: readonly number[]): Frame['xAt'] {
  const gap = (width - left - right) / Math.max(1, xs.length - 1);
  return (x) => left + xs.indexOf(x) * gap;
}

function linear(xs: readonly number[]): Frame['xAt'] {
  const most = Math.max(1, ...xs);
  return (x) => left + (x / most) * (width - left - right);
}

/** Those that have room for their numbers. */
function labelled(xs: readonly number[], isLinear: boolean): readonly number[] {
  if (!isLinear) return xs;
  const step = niceStep(Math.max(1, ...xs) / 8);
  return Array.from({ length: Math.floor(Math.max(1, ...xs) / step) + 1 }, (_, n) => n * step);
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceStep(least: number): number {
  if (least <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => times * power >= least) ?? 10);
}

const at = (pixels: number): string => pixels.toFixed(1);

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${at(x)}" y="${at(y)}" ${attributes}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
