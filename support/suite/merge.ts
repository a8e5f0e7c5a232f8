import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { World, type IFormatterOptions } from '@cucumber/cucumber';
import type { Envelope } from '@cucumber/messages';
import { z } from 'zod';
import type { Environment } from '../../reports/environment';
import { Reports } from '../../reports/reports';
import { readMessages } from '../../reports/scenarios';
import { reportFiles } from '../../reports/writers';
import { OperatorError, reason } from '../failure';
import { readShardRecord, sha256Of, type ShardRecord } from './shard';

/** One shard's reports, read back. */
export interface ShardReports {
  folder: string;
  record: ShardRecord;
  environment: Environment;
  messages: Envelope[];
}

const environmentShape = z
  .object({ target: z.string(), suite: z.string(), factory: z.string(), parts: z.array(z.unknown()) })
  .loose();

/**
 * Reads the shards' reports and holds them to being parts of one run, each once and none missing, unchanged since.
 * @throws OperatorError (exit code 2) naming what does not fit.
 */
export function readShards(folders: readonly string[]): ShardReports[] {
  const shards = folders
    .map((folder) => {
      const record = readShardRecord(folder);
      const files = reportFiles(folder);
      return {
        folder,
        record,
        environment: readEnvironmentFile(files.environment),
        messages: readMessages(files.messages),
      };
    })
    .sort((one, other) => one.record.shard.index - other.record.shard.index);
  const [first] = shards;
  if (first === undefined) throw misfit('no folder', 'at least one shard');
  const { of } = first.record.shard;
  const indexes = shards.map(({ record }) => record.shard.index).join(', ');
  const expected = Array.from({ length: of }, (_, index) => index + 1).join(', ');
  for (const { folder, record, environment } of shards) {
    if (record.shard.of !== of) throw misfit(folder, `one of ${of} shards`, `one of ${record.shard.of}`);
    if (record.whole.sha256 !== first.record.whole.sha256) {
      throw misfit(folder, 'the same scenarios dealt out', 'others: tags, paths or features differ');
    }
    for (const key of ['target', 'suite', 'factory'] as const) {
      if (environment[key] !== first.environment[key])
        throw misfit(folder, `${key} ${first.environment[key]}`, environment[key]);
    }
    if (sha256Of(reportFiles(folder).messages) !== record.messages) {
      throw misfit(folder, 'messages.ndjson as the shard wrote it', 'it was changed since');
    }
  }
  if (indexes !== expected)
    throw misfit(folders.join(', '), `the shards ${expected}, each once`, `the shards ${indexes}`);
  return shards;
}

function readEnvironmentFile(file: string): Environment {
  try {
    return environmentShape.parse(JSON.parse(readFileSync(file, 'utf8'))) as unknown as Environment;
  } catch (thrown) {
    throw misfit(file, 'what was tested with what', reason(thrown));
  }
}

function misfit(where: string, expected: string, seen = 'none'): OperatorError {
  return new OperatorError({
    attempted: 'put the shards together',
    where,
    expected,
    seen,
    next: 'name the reports of all shards of one run: the same commit, arguments and number of shards.',
    exitCode: 2,
  });
}

/** What was tested, for all shards: parts that differ between their sandboxes are named with their shard. */
export function mergedEnvironment(shards: readonly ShardReports[]): { environment: Environment; problems: string[] } {
  const [first, ...others] = shards.map(({ environment }) => environment);
  if (first === undefined) throw new Error('no shards');
  const key = (environment: Environment): string => JSON.stringify(environment.parts);
  const problems = others.flatMap((environment, index) =>
    key(environment) === key(first) ? [] : [`shard ${index + 2} ran on other parts than shard 1`],
  );
  const unknown = shards.find(({ environment }) => environment.partsUnknown !== undefined);
  return {
    environment: {
      ...first,
      ...(unknown?.environment.partsUnknown === undefined ? {} : { partsUnknown: unknown.environment.partsUnknown }),
    },
    problems,
  };
}

/** The shards' messages as one run: one start, every scenario as it was told, one end. */
export function* oneRun(shards: readonly ShardReports[]): Generator<Envelope> {
  const all = shards.flatMap(({ messages }) => messages);
  const start = all.find(({ testRunStarted }) => testRunStarted !== undefined);
  const id = start?.testRunStarted?.id;
  const meta = all.find((envelope) => envelope.meta !== undefined);
  if (meta !== undefined) yield meta;
  const defines = (envelope: Envelope): boolean =>
    envelope.source !== undefined ||
    envelope.gherkinDocument !== undefined ||
    envelope.pickle !== undefined ||
    envelope.parameterType !== undefined ||
    envelope.stepDefinition !== undefined ||
    envelope.undefinedParameterType !== undefined ||
    envelope.hook !== undefined;
  yield* all.filter(defines);
  if (start !== undefined) yield start;
  for (const envelope of all) {
    if ((defines(envelope) || envelope.meta) ?? envelope.testRunStarted ?? envelope.testRunFinished) continue;
    yield ofRun(envelope, id);
  }
  const ends = shards.map(({ messages }) => messages.find(({ testRunFinished }) => testRunFinished)?.testRunFinished);
  const last = ends.reduce((one, other) =>
    (other?.timestamp.seconds ?? 0) > (one?.timestamp.seconds ?? 0) ? other : one,
  );
  if (last === undefined || ends.includes(undefined)) return;
  yield {
    testRunFinished: {
      ...last,
      success: ends.every((end) => end?.success === true),
      ...(id === undefined ? {} : { testRunStartedId: id }),
    },
  };
}

/** Messages name the run they belong to. */
function ofRun(envelope: Envelope, testRunStartedId: string | undefined): Envelope {
  if (testRunStartedId === undefined) return envelope;
  if (envelope.testCase !== undefined) return { testCase: { ...envelope.testCase, testRunStartedId } };
  if (envelope.testRunHookStarted !== undefined) {
    return { testRunHookStarted: { ...envelope.testRunHookStarted, testRunStartedId } };
  }
  return envelope;
}

/** What the Allure reporter reads of Cucumber's options; a run that is over has no support code to offer. */
const formatterOptions = {
  supportCodeLibrary: { beforeTestCaseHookDefinitions: [], afterTestCaseHookDefinitions: [], World },
} as unknown as IFormatterOptions;

/** Makes the reports of the whole run from those of its shards. */
export async function makeReports(out: string, shards: readonly ShardReports[]): Promise<void> {
  const reports = new Reports(out, formatterOptions);
  for (const envelope of oneRun(shards)) reports.receive(envelope);
  await reports.finish();
}

/** Each shard's own record, to keep beside the merged reports. */
export function shardFiles(shards: readonly ShardReports[]): { name: string; file: string }[] {
  return shards.map(({ folder, record }) => ({
    name: `shard-${record.shard.index}.json`,
    file: join(folder, 'shard.json'),
  }));
}
