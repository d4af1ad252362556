/** What a migration may do beside engines of the release before: their statements find all that they name, and may leave out what is new. */
const allowed: readonly RegExp[] = [
  /^CREATE (?:UNLOGGED )?TABLE /,
  /^CREATE INDEX /,
  /^CREATE (?:OR REPLACE )?FUNCTION /,
  /^ALTER TABLE (?:ONLY )?\w+ SET \(/,
  /^(?:COMMENT|INSERT INTO|UPDATE|DO) /,
];
const addsColumns = /^ALTER TABLE (?:ONLY )?\w+ (?=ADD COLUMN )/;

/** Whether each change of an ALTER TABLE adds a column that an INSERT may leave out. */
function addsOptionalColumns(changes: string): boolean {
  return changes.split(/,\s*(?=(?:ADD|ALTER|DROP|RENAME|SET|VALIDATE)\b)/).every((change) => {
    if (!change.startsWith('ADD COLUMN ')) return false;
    return !/\b(?:UNIQUE|PRIMARY KEY)\b/.test(change) && (!/\bNOT NULL\b/.test(change) || /\bDEFAULT\b/.test(change));
  });
}

/** The statements of a migration's up section that engines of the release before may fail on. */
export function notAdditive(text: string): string[] {
  const up = text.slice(text.indexOf('-- Up Migration'), text.indexOf('-- Down Migration'));
  return up
    .replaceAll(/--.*$/gm, '')
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '')
    .filter((statement) => {
      const head = addsColumns.exec(statement)?.[0];
      if (head !== undefined) return !addsOptionalColumns(statement.slice(head.length));
      return !allowed.some((each) => each.test(statement));
    });
}
