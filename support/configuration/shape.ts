import { z } from 'zod';

/** `host:port`, as Postgres and its pooler are named. */
const hostAndPort = z.string().regex(/^[\w.-]+:\d+$/, 'expected host:port');
const cidr = z.string().regex(/^[\d.]+\/\d{1,2}$/, 'expected a network such as 192.168.64.0/24');
/** A path; `~/` is the operator's home, anything else is relative to the configuration file. */
const path = z.string().min(1);
/** A program with its arguments, run without a shell; `{machine}` stands for the machine's name. */
const command = z
  .string()
  .regex(/\{machine\}/, 'expected {machine} where the machine’s name goes')
  .regex(/^[^|;&<>$`]*$/, 'it is run without a shell: one program with its arguments');

const common = {
  /** Networks of the sandbox and nothing else: the isolation boundary is drawn around them. */
  network: z.strictObject({
    machines: cidr,
    pods: cidr.default('10.42.0.0/16'),
    services: cidr.default('10.43.0.0/16'),
    dns: z.string().default('10.43.0.10'),
    /** Who answers for the domain from outside of the cluster, where it is not the cluster's DNS. */
    name_server: z.string().optional(),
    /** This machine's address in the network of the machines. */
    operator: z.string(),
    domain: z.string().default('arcodange.lab'),
  }),
  inventory: path,
  kubernetes: z.strictObject({
    kubeconfig: path,
    /** The context that must be the current one. */
    context: z.string(),
    /** `metadata.uid` of namespace kube-system: asked for when the context's name could be production's. */
    cluster_uid: z.string().optional(),
  }),
  vault: z.strictObject({ address: z.url(), keys: path }),
  postgres: z.strictObject({ address: hostAndPort, pgbouncer: hostAndPort, credentials: path }),
  gitea: z.strictObject({ address: z.url(), credentials: path, organisation: z.string().default('arcodange-org') }),
  argocd: z.strictObject({ address: z.url() }),
  bucket: z.strictObject({
    address: z.url(),
    states: z.string().default('sandbox-tofu-state'),
    backups: z.string().default('sandbox-backups'),
  }),
  /** Container registry, where it is not Gitea's. */
  registry: z.strictObject({ address: z.url() }).optional(),
  /** The sandbox's own CA: where it answers, and its root's certificate. */
  ca: z.strictObject({ address: z.url().optional(), certificate: path.optional() }).optional(),
  ingress: z.strictObject({ address: z.url() }).optional(),
  /** Other endpoints a feature asks for, by their name in the inventory. */
  endpoints: z.record(z.string(), z.string()).default({}),
  /** Folder with the sandbox's other secrets. */
  secrets: path.default('~/.arcodange/sandbox'),
  /** Private key of the issuer of CI tokens, where the sandbox has one of its own. */
  ci_key: path.optional(),
  factory: path.optional(),
  runbook: path.optional(),
  /** Where the target is known to differ from production. */
  deviations: path.optional(),
};

const vms = z.strictObject({
  target: z.literal('vms'),
  ...common,
  ssh: z.strictObject({ user: z.string().default('root'), key: path, known_hosts: path }).optional(),
  /** Without a way to switch machines, what needs it is skipped. */
  power: z
    .strictObject({
      on: command,
      off: command.optional(),
      cut: command.optional(),
      /** How long a machine may take until it answers, or falls silent. */
      seconds: z.number().int().min(1).max(3600).default(300),
    })
    .optional(),
});

const k3d = z.strictObject({
  target: z.literal('k3d'),
  ...common,
  k3d: z.strictObject({
    cluster: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
    /** Containers that play what stands outside of the cluster. */
    containers: z.strictObject({ postgres: z.string(), gitea: z.string() }),
  }),
});

/** What `sandbox.config.yaml` may say. */
export const configurationShape = z.discriminatedUnion('target', [vms, k3d]);

export type VmsConfiguration = z.infer<typeof vms>;
export type K3dConfiguration = z.infer<typeof k3d>;
export type Configuration = z.infer<typeof configurationShape>;
