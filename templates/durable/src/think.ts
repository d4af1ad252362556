/** What a tool has found. */
export interface Finding {
  place: string;
  at: { lat: number; lon: number } | null;
}

/** What to do next. */
export type Thought = { answer: string } | { locate: string[] };

/** Stands for a call of a model: it reads the question, asks for what it lacks, and answers. */
export async function think(question: string, findings: readonly Finding[]): Promise<Thought> {
  const places = question.match(/\b(?:Rome|Paris|Oslo)\b/g) ?? [];
  const missing = places.filter((place) => !findings.some((finding) => finding.place === place));
  if (missing.length > 0) return { locate: missing };
  const [from, to] = findings.map(({ at }) => at);
  if (from == null || to == null) return { answer: 'I know of Rome, Paris and Oslo' };
  const radians = Math.PI / 180;
  const cosine = Math.sin(from.lat * radians) * Math.sin(to.lat * radians) + Math.cos(from.lat * radians) * Math.cos(to.lat * radians) * Math.cos((from.lon - to.lon) * radians);
  return { answer: `about ${Math.round((Math.acos(cosine) * 6371) / 10) * 10} km` };
}
