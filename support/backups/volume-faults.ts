import { randomBytes } from 'node:crypto';
import { eventually } from '../eventually';
import type { Fault, FaultContext } from '../fault';
import { compare } from '../finding';
import type { Inventory } from '../inventory';
import { quoted } from '../shell-words';
import { backups, documentsVolume, longhornNamespace, putFile, settings } from '../storage/client';
import { makeBackup, readManifest } from './backups';
import { connectBackupBucket, type BucketClient } from './client';
import { changedProgram } from './faults';
import { manifestName, volumeContents, volumeFolder } from './volumes';

/** The machine with the bucket, and where its objects lie there as files (role depot). */
function bucketMachine(inventory: Inventory): string {
  return inventory.machines.find(({ groups }) => groups.includes('operator_side'))?.name ?? 'depot';
}
const bucketFiles = '/data/bucket';

/** What was changed, with the bytes that were there. */
const rotten = '/data/bucket-rotten';
const rot = `
import glob, os, sys
paths = glob.glob(sys.argv[1] + "/blocks/*/*/*.blk")
assert paths, "no blocks in " + sys.argv[1]
with open(sys.argv[2], "w") as kept:
    for path in paths:
        with open(path, "rb") as file:
            print(path, file.read(1)[0], file=kept)
    kept.flush(); os.fsync(kept.fileno())
for path in paths:
    with open(path, "r+b") as file:
        byte = file.read(1)[0]
        file.seek(0); file.write(bytes([byte ^ 255]))
`;
const mend = `
import os, sys
if os.path.exists(sys.argv[1]):
    for line in open(sys.argv[1]):
        path, byte = line.split()
        if os.path.exists(path):
            with open(path, "r+b") as file:
                file.write(bytes([int(byte)]))
    os.remove(sys.argv[1])
`;

/** Every block of the app's volume has another byte on the bucket's disk: the bucket itself says what it said. */
export const volumeBlocksRotten: Fault = {
  name: 'volume-blocks-rotten',
  breaks: "The blocks of a volume's backups have rotted on the bucket's disk.",
  plant: async ({ target, systems }) => {
    const volume = await documentsVolume(systems.kubernetes);
    await makeBackup(target, 'volumes');
    const folder = `${bucketFiles}/${target.inventory.backupBucket}/${volumeFolder(volume)}`;
    await target.onMachine(bucketMachine(target.inventory), [`python3 -c ${quoted(rot)} ${folder} ${rotten}`]);
  },
  heal: async ({ target }) => {
    await target.onMachine(bucketMachine(target.inventory), [`python3 -c ${quoted(mend)} ${rotten}`]);
  },
};

/** What lacks blocks is no backup any more, and is forgotten. */
async function forgetBroken({ target, systems }: FaultContext): Promise<void> {
  const bucket = connectBackupBucket(target.inventory);
  for (const { volume, backups: made, blocks } of await volumeContents(bucket)) {
    const there = new Set(blocks);
    for (const { name } of made.filter((one) => one.blocks.some((block) => !there.has(block)))) {
      await bucket.delete(manifestName({ VolumeName: volume, Name: name }));
      await systems.kubernetes.deleteResource(backups, longhornNamespace, name);
    }
  }
  await forgetRuns(bucket);
}

/** Runs of the schedule that name a manifest which is gone. */
async function forgetRuns(bucket: BucketClient): Promise<void> {
  const manifests = new Set((await bucket.list('backupstore/volumes/')).map(({ name }) => name));
  const runs = (await bucket.list('volumes/')).filter(({ name }) => name.endsWith('/manifest.json'));
  for (const { name } of runs) {
    const folder = name.slice(0, -'/manifest.json'.length);
    const { objects } = await readManifest(bucket, folder);
    if (Object.values(objects).every(({ manifest }) => manifest === undefined || manifests.has(manifest))) continue;
    for (const one of await bucket.list(`${folder}/`)) await bucket.delete(one.name);
  }
}

const removal = 'kubectl(settings, "delete", "--wait=false", "--ignore-not-found", "backups.longhorn.io", *old)';
/** Every block of the removed backups goes, whoever else needs it. */
const removalOfBlocks = [
  'bucket = Bucket(settings["endpoint"], settings["bucket"])',
  'gone = {f"{manifest_of(v, n).split(\'/backups/\')[0]}/blocks/{s[:2]}/{s[2:4]}/{s}.blk" for v, found in done.items() for _, n in sorted(found)[:-settings["keep"]] for s in [one["BlockChecksum"] for one in json.loads(bucket.get(manifest_of(v, n)))["Blocks"]]}',
  '[bucket.delete(name) for name in gone & set(bucket.names("backupstore/"))]',
  removal,
].join('; ');
const tooEager = changedProgram(
  'volume-retention-too-eager',
  'With an old backup of a volume all its blocks are removed, also those that newer ones need.',
  removal,
  removalOfBlocks,
);
export const volumeRetentionTooEager: Fault = {
  ...tooEager,
  heal: async (context) => {
    await tooEager.heal(context);
    await forgetBroken(context);
  },
};

/** The bucket fills. */
export const volumeBackupsNeverRemoved = changedProgram(
  'volume-backups-never-removed',
  'Old backups of volumes are never removed.',
  '    if old:\n',
  '    if not old:\n        pass\n    elif False:\n',
);

const stale = changedProgram(
  'volume-backups-stale',
  'The schedule says that it backed the volumes up, and shows an earlier backup.',
  '    if backups:\n',
  '    names.update({one["metadata"]["labels"]["backup-volume"]: one["metadata"]["name"] for one in resources(settings, "backups.longhorn.io") if one.get("status", {}).get("state") == "Completed" and one["metadata"]["labels"]["backup-volume"] in names})\n    if False:\n',
);
export const volumeBackupsStale: Fault = {
  ...stale,
  plant: async (context) => {
    await makeBackup(context.target, 'volumes');
    await stale.plant(context);
  },
};

/** Stands between the storage and its bucket, on the bucket's machine. */
const proxy = `
import hashlib, http.server, json, sys, urllib.error, urllib.parse, urllib.request
mode, host, port, real = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(method, path, body=None, kind=None):
    try:
        request = urllib.request.Request(real + path, method=method, data=body, headers={"Content-Type": kind} if kind else {})
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
class Between(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def between(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else (b"" if self.command == "POST" else None)
        status, content = ask(self.command, self.path, body, self.headers.get("Content-Type"))
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query)
        stored = query.get("name", [""])[0]
        if mode == "forgets" and self.command == "POST" and stored.endswith(".blk"):
            bucket = parts.path.split("/b/")[1].split("/")[0]
            ask("DELETE", "/storage/v1/b/" + bucket + "/o/" + urllib.parse.quote(stored, safe=""))
        if mode == "cache" and "alt" in query and parts.path.endswith(".blk"):
            where, name = parts.path.split("/o/")
            block = urllib.parse.unquote(name).rsplit("/", 1)[1]
            listed = json.loads(ask("GET", where + "/o?prefix=backupstore/volumes/")[1])
            for item in listed.get("items") or []:
                if item["name"].endswith(block):
                    other = ask("GET", where + "/o/" + urllib.parse.quote(item["name"], safe="") + "?alt=media")[1]
                    if hashlib.sha256(other).hexdigest() == block[:-4]:
                        status, content = 200, other
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    do_GET = do_POST = do_DELETE = between
http.server.ThreadingHTTPServer((host, port), Between).serve_forever()
`;
const service = '/etc/lab-service/bucket-between';
const program = '/data/bucket-between.py';
const port = 4444;

function between(name: string, breaks: string, mode: 'forgets' | 'cache'): Fault {
  const setEndpoint = ({ systems }: FaultContext, value: string): Promise<void> =>
    systems.kubernetes.patchResource(settings, longhornNamespace, 'backup-target-endpoint', { value });
  return {
    name,
    breaks,
    plant: async (context) => {
      const { target, systems } = context;
      const machine = bucketMachine(target.inventory);
      const real = target.inventory.endpoints.bucket;
      const { hostname } = new URL(real);
      const run = `#!/bin/sh\nexec python3 ${program} ${mode} ${hostname} ${port} ${real}\n`;
      const put = (text: string, file: string): string =>
        `echo ${Buffer.from(text).toString('base64')} | base64 -d > ${file}`;
      const make = `mkdir -p ${service} && ${put(run, `${service}/run`)} && chmod 755 ${service}/run`;
      await target.onMachine(machine, [`${put(proxy, program)} && ${make}`]);
      const own = `http://${hostname}:${port}`;
      const look = [
        'curl',
        '-sf',
        '-m',
        '5',
        '-o',
        '/dev/null',
        `${own}/storage/v1/b/${target.inventory.backupBucket}`,
      ];
      await eventually(
        'what stands between the storage and its bucket answers',
        async () => {
          const { exitCode } = await target.onMachine(machine, look, { allowFailure: true });
          return compare('it', 'answers', exitCode === 0 ? 'answers' : `curl ended with ${exitCode}`, look.join(' '));
        },
        'boot',
      );
      await setEndpoint(context, own);
      // Something new to be backed up.
      await putFile(systems.kubernetes, 'planted-fault.txt', randomBytes(10_000));
    },
    heal: async (context) => {
      const { target } = context;
      await setEndpoint(context, target.inventory.endpoints.bucket);
      const away = `test ! -e ${service} || { sv -w 10 force-stop ${service}; rm -rf ${service} ${program}; }`;
      await target.onMachine(bucketMachine(target.inventory), [away]);
    },
  };
}

/** A backup that would lack blocks. */
export const volumeBucketForgets = between(
  'volume-bucket-forgets',
  'The bucket acknowledges the blocks of a volume and does not keep them.',
  'forgets',
);

/** Then nobody would know that what lies in the bucket is damaged. */
export const volumeRestoreFromCache = between(
  'volume-restore-from-cache',
  'A restore does not see what the bucket holds: a cache before it answers with the block as it was.',
  'cache',
);
