import { stoppedService, type Fault, type FaultContext } from '../fault';
import { clusterMachines } from '../inventory';
import { quoted } from '../shell-words';

/** OpenTofu's states and the backups are out of reach. */
export const bucketStopped = stoppedService('bucket-stopped', 'The bucket is stopped.', 'operator_side', 'bucket');

const program = '/usr/local/bin/sandbox-backup';

/** Changes the program that makes the backups, on every machine that has it; the original lies beside it meanwhile. */
export function changedProgram(name: string, breaks: string, from: string, to: string): Fault {
  const everywhere = async ({ target }: FaultContext, script: string): Promise<void> => {
    for (const { name: machine } of clusterMachines(target.inventory)) await target.onMachine(machine, [script]);
  };
  const change = `import sys; p, a, b = sys.argv[1:]; s = open(p).read(); assert a in s; open(p, "w").write(s.replace(a, b))`;
  const plant = `test ! -e ${program} || { cp -pn ${program} ${program}.whole && python3 -c ${quoted(change)} ${program} ${quoted(from)} ${quoted(to)}; }`;
  return {
    name,
    breaks,
    plant: (context) => everywhere(context, plant),
    heal: (context) => everywhere(context, `test ! -e ${program}.whole || mv ${program}.whole ${program}`),
  };
}

/** What arrives in the bucket is not what was hashed. */
export const backupCutShort = changedProgram(
  'backup-cut-short',
  'Every object of a backup lacks its last bytes.',
  'bucket.put(f"{folder}/{name}", content)',
  'bucket.put(f"{folder}/{name}", content[:-64])',
);

/** A backup that is cut off there would be taken for a whole one. */
export const backupManifestFirst = changedProgram(
  'backup-manifest-first',
  'The manifest of a backup is there before its last object is.',
  'print(f"{folder}: {len(objects)} objects", flush=True)',
  'bucket.put(f"{folder}/{name}", content); print(f"{folder}: {len(objects)} objects", flush=True)',
);

/** The bucket fills. */
export const backupsNeverRemoved = changedProgram(
  'backups-never-removed',
  'Old backups are never removed.',
  'folders[:-settings["keep"]]',
  'folders[:0]',
);

/** A dump that looks well, and holds what its manifest says. */
export const backupWithoutATable = changedProgram(
  'backup-without-a-table',
  'The databases are backed up without one of their tables.',
  '"pg_dump", *SOCKET,',
  '"pg_dump", *SOCKET, "--exclude-table=llx_actioncomm",',
);

/** A snapshot whose end is missing, and a manifest that knows of nothing else. */
export const etcdBackupTorn = changedProgram(
  'etcd-backup-torn',
  'The snapshot of etcd is not read to its end.',
  'yield "etcd.snapshot", bytes(content), described(bytes(content))',
  'yield "etcd.snapshot", bytes(content[:-64]), described(bytes(content[:-64]))',
);

/** As the factory has it (hashicorp-vault/iac/main.tf). */
const ownPolicy = 'path "sys/storage/raft/snapshot" {\n  capabilities = ["read"]\n}\n';

function backupsMay(policy: string) {
  return ({ systems }: FaultContext): Promise<void> => systems.vault.write('sys/policies/acl/backups', { policy });
}

/** The backup's login is good for nothing. */
export const vaultBackupRefused: Fault = {
  name: 'vault-backup-refused',
  breaks: 'Vault does not let the backup read its snapshot.',
  plant: backupsMay('# nothing'),
  heal: backupsMay(ownPolicy),
};
