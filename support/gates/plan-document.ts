import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Plans above this size (bytes) are not read: 10,000 resources need about 20 MB, and memory is not without end. */
export const largestPlan = 96 * 1024 * 1024;

/** A JSON object, taken as it is: copying the values of 10,000 resources would double the memory. */
const values = z.custom<Record<string, unknown>>(isRecord, 'not an object');
const changeShape = z.object({
  actions: z.array(z.enum(['no-op', 'create', 'read', 'update', 'delete', 'forget', 'open'])).min(1),
  before: values.nullish(),
  after: values.nullish(),
  after_unknown: z.union([values, z.boolean()]).nullish(),
  importing: z.object({ id: z.string().optional() }).loose().nullish(),
});
const resourceChange = z.object({
  address: z.string().min(1),
  previous_address: z.string().optional(),
  module_address: z.string().optional(),
  mode: z.enum(['managed', 'data', 'ephemeral']),
  type: z.string().min(1),
  name: z.string(),
  provider_name: z.string().optional(),
  deposed: z.string().optional(),
  change: changeShape,
});

/** One resource of a plan with what would become of it. */
export type ResourceChange = z.infer<typeof resourceChange>;

const stateResource = z.object({ address: z.string(), mode: z.string(), type: z.string(), values: values.nullish() });
export type StateResource = z.infer<typeof stateResource>;
export interface StateModule {
  resources?: StateResource[] | undefined;
  child_modules?: StateModule[] | undefined;
}
const stateModule: z.ZodType<StateModule> = z.lazy(() =>
  z.object({ resources: z.array(stateResource).optional(), child_modules: z.array(stateModule).optional() }),
);

/** An expression of the configuration, or nested blocks of them: only what they refer to is read. */
const expression = z.object({ references: z.array(z.string()).optional() });
const configResource = z.object({
  address: z.string(),
  expressions: z.record(z.string(), z.unknown()).optional(),
  for_each_expression: expression.optional(),
});
export type ConfigResource = z.infer<typeof configResource>;
export interface ConfigModule {
  resources?: ConfigResource[] | undefined;
  module_calls?: Record<string, ModuleCall> | undefined;
  outputs?: Record<string, { expression?: { references?: string[] | undefined } | undefined }> | undefined;
}
export interface ModuleCall {
  expressions?: Record<string, unknown> | undefined;
  for_each_expression?: { references?: string[] | undefined } | undefined;
  module?: ConfigModule | undefined;
}
const configModule: z.ZodType<ConfigModule> = z.lazy(() =>
  z.object({
    resources: z.array(configResource).optional(),
    module_calls: z.record(z.string(), moduleCall).optional(),
    outputs: z.record(z.string(), z.object({ expression: expression.optional() })).optional(),
  }),
);
const moduleCall: z.ZodType<ModuleCall> = z.lazy(() =>
  z.object({
    expressions: z.record(z.string(), z.unknown()).optional(),
    for_each_expression: expression.optional(),
    module: configModule.optional(),
  }),
);

const planShape = z.object({
  format_version: z.string().regex(/^1\.\d+$/, 'a format version 1.x'),
  errored: z.boolean().optional(),
  resource_changes: z.array(resourceChange).optional(),
  resource_drift: z.array(resourceChange).optional(),
  deferred_changes: z.array(z.unknown()).optional(),
  prior_state: z.object({ values: z.object({ root_module: stateModule }).nullish() }).nullish(),
  configuration: z.object({ root_module: configModule.optional() }).nullish(),
});

/** A plan as `tofu show -json` writes it, with the parts that gates read. */
export type Plan = z.infer<typeof planShape>;

/** The references of an expression of the configuration; undefined when there is no such expression or it is a block. */
export function referencesOf(value: unknown): string[] | undefined {
  const parsed = expression.safeParse(value);
  return parsed.success ? (parsed.data.references ?? []) : undefined;
}

/**
 * Reads a plan file; `-` is the standard input.
 * @throws OperatorError (exit code 2) when it cannot be read, is empty, too large, binary, cut off, or no plan.
 */
export async function readPlan(file: string): Promise<Plan> {
  return parsePlan(await readText(file === '-' ? '/dev/stdin' : file), file);
}

/** As `readPlan`, for a text. */
export function parsePlan(text: string, where: string): Plan {
  if (text.trim() === '') throw unreadable(where, 'it is empty');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw unreadable(where, notJson(text, thrown));
  }
  if (typeof json === 'object' && json !== null && !Object.hasOwn(json, 'resource_changes')) {
    if (Object.hasOwn(json, 'values')) throw unreadable(where, 'it is a state, not a plan');
    if (Object.hasOwn(json, '@level')) throw unreadable(where, 'it is the log of `tofu plan -json`, not the plan');
  }
  const parsed = planShape.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unreadable(where, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not the expected shape'}`);
}

async function readText(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size > largestPlan) throw tooLarge(file);
      const bytes = size > 0 ? await handle.readFile() : await readPipe(handle, file);
      if (bytes.subarray(0, 2).toString('latin1') === 'PK') throw unreadable(file, 'it is the binary plan file itself');
      if (bytes.includes(0)) throw unreadable(file, 'it is binary, or text that is not UTF-8');
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    const decoding =
      thrown instanceof TypeError && 'code' in thrown && thrown.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    throw unreadable(file, decoding ? 'it is binary, or text that is not UTF-8' : reason(thrown), thrown);
  }
}

/** What comes through a pipe has no size to ask for: it is counted while it comes. */
async function readPipe(handle: FileHandle, file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let read = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false })) {
    const bytes = z.instanceof(Buffer).parse(chunk);
    read += bytes.length;
    if (read > largestPlan) throw tooLarge(file);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function tooLarge(file: string): OperatorError {
  const limit = `${largestPlan / 1024 / 1024} MiB`;
  return unreadable(file, `it is larger than ${limit}, and no plan above that is read`);
}

/** Says why a text is no JSON without quoting it: a plan may hold secrets. */
function notJson(text: string, thrown: unknown): string {
  if (text.startsWith('{"@level"')) return 'it is the log of `tofu plan -json`, not the plan';
  const cut = /^\s*[{[]/.test(text) && !/[}\]]\s*$/.test(text);
  if (cut || /end of JSON/i.test(reason(thrown))) return 'it is cut off before its end';
  return 'it is not JSON';
}

function unreadable(where: string, seen: string, cause?: unknown): OperatorError {
  return new OperatorError({
    attempted: 'read the plan',
    where,
    expected: 'the output of `tofu show -json`',
    seen,
    next: 'run `tofu plan -out=run.tfplan` and `tofu show -json run.tfplan > plan.json`, and give that file.',
    exitCode: 2,
    ...(cause === undefined ? {} : { cause }),
  });
}
