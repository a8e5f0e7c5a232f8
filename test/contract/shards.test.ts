import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Run } from '../../reports/scenarios';
import { reportFiles } from '../../reports/writers';
import { readShards } from '../../support/suite/merge';
import { readShardRecord, writeShardRecord } from '../../support/suite/shard';
import { feature, merge, suite, type SuiteRun } from './run';

/** Features of the fixtures that are green together. */
const features = [feature('green'), feature('last')];

function verdicts(run: Run): string[] {
  return run.scenarios.map(({ uri, longName, verdict }) => `${uri} ${longName}: ${verdict}`).sort();
}

/** The entries of a run's ledger. */
function ledger({ out }: SuiteRun): Record<string, unknown>[] {
  const lines = readFileSync(join(out, 'ledger', 'ledger.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => (JSON.parse(line) as { entry: Record<string, unknown> }).entry);
}

describe('shards put together', () => {
  it('are one run with one entry in the ledger, red when one of them is, refused unless they are all of it', async () => {
    const [one, two] = [await suite('--shard', '1/2', ...features), await suite('--shard', '2/2', ...features)];
    for (const part of [one, two]) match(part.output, /not in the ledger until/);
    const merged = await merge(two.out, one.out);
    equal(merged.exitCode, 0, merged.output);
    deepEqual(verdicts(merged.run()), [...verdicts(one.run()), ...verdicts(two.run())].sort());
    const entries = ledger(merged);
    equal(entries.length, 1);
    equal(entries[0]?.['verdict'], 'green');
    match(String((entries[0]?.['facts'] as { shards: string }).shards), /1\/2: .*\n2\/2: /);

    const record = readShardRecord(two.out);
    writeShardRecord(two.out, { ...record, problems: ['7 packets out of the lab'] });
    const red = await merge(one.out, two.out);
    equal(red.exitCode, 1);
    match(red.output, /shard 2: 7 packets out of the lab/);
    equal(ledger(red)[0]?.['verdict'], 'red');

    throws(() => readShards([one.out]), /the shards 1, 2, each once.*the shards 1\b/);
    throws(() => readShards([one.out, one.out]), /the shards 1, 1/);
    throws(() => readShards([one.out, '/nowhere']), /shard\.json/);
    writeShardRecord(two.out, { ...record, whole: { ...record.whole, sha256: 'of another run' } });
    throws(() => readShards([one.out, two.out]), /the same scenarios dealt out/);
    writeShardRecord(two.out, record);
    appendFileSync(reportFiles(two.out).messages, '\n');
    throws(() => readShards([one.out, two.out]), /changed since/);
  });
});
