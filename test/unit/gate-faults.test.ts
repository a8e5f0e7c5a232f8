import { equal, match, notEqual, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FindingsAssertionError } from '../../support/evidence/findings-table';
import { dnsGate } from '../../support/gates/dns/gate';
import { recordedDnsPlan } from '../../support/gates/dns/recorded';
import { findingsOf, titledByGates } from '../../support/gates/expectations';
import { dnsFaults } from '../faults/gates-dns';
import { zone } from './gate-fixture';

describe('the planted faults of the DNS plan', () => {
  it('finds nothing wrong with the recorded plan', async () => {
    equal((await dnsGate(recordedDnsPlan() ?? '', { zone })).verdict, 'green');
  });

  for (const { fault, redAt } of dnsFaults) {
    it(`is red, and says why: ${fault.name}`, async () => {
      // Faults of the factory's sources touch nothing of the lab: no system is asked for.
      const context = { target: undefined as never, systems: undefined as never };
      const before = process.env['FACTORY'];
      await fault.plant(context);
      try {
        notEqual(process.env['FACTORY'], before);
        const plan = recordedDnsPlan(process.env['FACTORY']);
        ok(plan);
        const result = await dnsGate(plan, { zone });
        equal(result.verdict, 'red');
        match(
          new FindingsAssertionError(titledByGates('the gate is green', [result]), findingsOf([result])).message,
          redAt.says,
        );
      } finally {
        await fault.heal(context);
      }
      equal(process.env['FACTORY'], before);
    });
  }
});
