import { deepEqual, equal, match, notEqual, ok, rejects, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OperatorError } from '../../../support/failure';
import { capabilities, type Capability, type Target } from '../../../support/target';
import { readNeeds } from '../../../support/target/check/features';

/** What differs between targets that all keep the contract. */
export interface Expected {
  name: string;
  capabilities: readonly Capability[];
  /** A stage that is ready while the test runs; none for a target that is not there at all. */
  ready?: string;
  /** A stage whose part does not answer while the test runs. */
  silent: string;
  /** False where this user may not hold it: the lab is root's. */
  occupiable?: boolean;
  /** Whether another process has to be asked for its parts (the lab's own status). */
  parts: boolean;
}

/** What every target keeps to, so that features, drills and evidence do not care which one it is. */
export function keepsTheContract(expected: Expected, make: () => Target): void {
  describe(`target ${expected.name} keeps the contract`, () => {
    const target = make();

    it('bears the name that TARGET chooses it by', () => equal(target.name, expected.name));

    it('can do what it says and nothing else', () => {
      deepEqual([...target.capabilities].sort(), [...expected.capabilities].sort());
      for (const capability of target.capabilities) ok(capabilities.includes(capability));
    });

    it('names its stages once each, the machines first, and knows every stage a feature asks for', () => {
      const stages = target.stages();
      equal(stages[0], 'machines');
      equal(new Set(stages).size, stages.length);
      const unknown = readNeeds().flatMap(({ feature, stages: asked }) =>
        asked.filter((stage) => !stages.includes(stage)).map((stage) => `${feature}: ${stage}`),
      );
      deepEqual(unknown, []);
    });

    it('says of a stage that does not exist that waiting is in vain, and which ones there are', async () => {
      const finding = await target.ready('no-such-stage');
      equal(finding.status, 'unmet');
      equal(finding.final, true);
      match(finding.hint ?? '', /machines/);
    });

    it('says of a part that does not answer what was seen, and does not throw', async () => {
      const finding = await target.ready(expected.silent);
      notEqual(finding.status, 'met');
      for (const text of [finding.subject, finding.expected, finding.actual, finding.source]) notEqual(text, '');
    });

    if (expected.ready !== undefined) {
      const stage = expected.ready;
      it(`finds ${stage} ready`, async () => {
        const finding = await target.ready(stage);
        equal(finding.status, 'met', JSON.stringify(finding));
      });
    }

    it('has an inventory with machines', () => ok(target.inventory.machines.length > 0));

    it('tells itself from another sandbox by the same words each time', () =>
      equal(target.identity(), target.identity()));

    it('is kept by one process at a time, which the other one is told', () => {
      if (expected.occupiable === false) return throws(() => target.occupy(), /root|Linux/);
      const leave = target.occupy();
      throws(
        () => target.occupy(),
        (thrown) => thrown instanceof OperatorError && thrown.message.includes(String(process.pid)),
      );
      leave();
      return target.occupy()();
    });

    it('refuses a machine it does not have and names those it has', async () => {
      const known = new RegExp(target.inventory.machines[0]?.name ?? 'none');
      await rejects(async () => target.power('no-such-machine', 'cut'), known);
      await rejects(async () => target.onMachine('no-such-machine', ['true']), known);
    });

    it('refuses what it cannot do in a sentence that names the capability', async () => {
      const [machine] = target.inventory.machines;
      const asked: [Capability, () => Promise<unknown>][] = [
        ['power', async () => target.power(machine?.name ?? '', 'off')],
        ['power-cut', async () => target.power(machine?.name ?? '', 'cut')],
        ['ssh', async () => target.onMachine(machine?.name ?? '', ['true'])],
      ];
      for (const [capability, ask] of asked) {
        if (!target.capabilities.has(capability)) await rejects(ask, new RegExp(`use ${capability}`));
      }
    });

    if (expected.capabilities.includes('counted-edge') === false) {
      it('counts no packets, and does not say that none left', async () =>
        equal(await target.packetsLeaving(), undefined));
    }

    if (expected.parts) {
      it('calls a part upstream only with what proves it', async () => {
        const parts = await target.parts();
        ok(parts.length > 0);
        for (const part of parts) {
          notEqual(part.name, '');
          notEqual(part.version, '');
          ok(['upstream', 'substitute', 'stand-in', 'unknown'].includes(part.provenance));
          notEqual(part.basis ?? '', '', `${part.name} without a word on its provenance`);
        }
      });
    }
  });
}
