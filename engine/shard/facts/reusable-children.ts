import { newestEndOf } from '../../postgres/rows-of-a-run.ts';

/** Children that a retried parent gets again instead of new ones: those that completed or still run, neither FAILED (4) nor CANCELLED (5) in their newest generation, of which there are two rows where a replay opened it: the first one says that it runs. */
export const readReusableChildren = {
  name: 'reusable_children',
  text: `
    SELECT r.id FROM unnest($1::uuid[]) AS u (id)
    JOIN run r ON r.id = u.id
    LEFT JOIN LATERAL ${newestEndOf('r.id')} e ON true
    WHERE e.status IS NULL OR e.status NOT IN (4, 5)`,
};
