import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesEventKey } from '../../../engine/model/event-key.ts';
import { LatestVersions } from '../../../engine/plan/state/latest-versions.ts';
import { UndoLog } from '../../../engine/plan/state/undo-log.ts';
import type { Version } from '../../../engine/plan/state/workflow-version.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const keys = ['order', 'order:paid', 'order:*', '*', '*:paid'];
const events = ['order', 'order:paid', 'order:new', 'invoice:paid'];

const tenants = [tenantOf('a'), tenantOf('b')];

const put = fc.record({
  tenantId: fc.constantFrom(...tenants),
  name: fc.constantFrom('one', 'two', 'three'),
  eventKeys: fc.uniqueArray(fc.constantFrom(...keys)),
  isUndone: fc.boolean(),
  isDeletion: fc.boolean(),
});

it('finds those that listen for an event as a look at every newest version would, undone changes aside', () => {
  fc.assert(
    fc.property(fc.array(put, { maxLength: 30 }), (puts) => {
      const latest = new LatestVersions();
      const undo = new UndoLog();
      const model = new Map<string, Version>();
      for (const [ordinal, { tenantId, name, eventKeys, isUndone, isDeletion }] of puts.entries()) {
        const version: Version = {
          tenantId,
          workflowId: `${tenantId} ${name}`,
          versionId: String(ordinal),
          checksum: '',
          ordinal,
          definition: workflowOf(name, [stepOf(name)], { eventKeys }),
          batchParents: new Set(),
          firstStep: 0,
          children: [],
        };
        const { workflowId } = version;
        const gone = latest.deleted(tenantId, name);
        if (isDeletion) latest.withdraw(workflowId, undo);
        else latest.offer(version, undo);
        if (isUndone) undo.rollback();
        else if (isDeletion) model.delete(workflowId);
        else model.set(workflowId, version);
        if (isUndone) expect(latest.deleted(tenantId, name)).toBe(gone);
        else if (!isDeletion) expect(latest.deleted(tenantId, name)).toBeUndefined();
        undo.clear();
        for (const [id, known] of model) expect(latest.ofWorkflow(id)).toBe(known);
        for (const tenant of tenants)
          for (const key of events) {
            const wanted = [...model.values()].filter(
              (each) =>
                each.tenantId === tenant && each.definition.eventKeys.some((pattern) => matchesEventKey(pattern, key)),
            );
            expect(new Set(latest.startedBy(tenant, key))).toEqual(new Set(wanted));
          }
      }
      expect([...latest.values()].length).toBe(model.size);
    }),
  );
});
