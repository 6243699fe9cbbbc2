/** The settings of `docker run` in which the isolation probe is compared, and what Docker's engine lets it do there. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { brotliDecompressSync } from 'node:zlib'
import { fileLimits, givenFiles } from '../../src/runtime/given-files.ts'
import { rlimitName } from '../../src/runtime/parts/limits.ts'
import { shared } from './needs.ts'

/** Not privileged and network-host: there the probe lists the devices and interfaces that a machine happens to have. */
export const probeSettings: Readonly<Record<string, readonly string[]>> = {
  default: [],
  'cap-drop-all': ['--cap-drop', 'ALL'],
  'user-1000': ['--user', '1000'],
  'read-only': ['--read-only'],
  'no-new-privileges': ['--security-opt', 'no-new-privileges'],
  'network-none': ['--network', 'none'],
  init: ['--init'],
  tty: ['-t'],
  'seccomp-unconfined': ['--security-opt', 'seccomp=unconfined'],
  'systempaths-unconfined': ['--security-opt', 'systempaths=unconfined'],
  'cap-add-sys-admin': ['--cap-add', 'SYS_ADMIN'],
  'pid-host': ['--pid', 'host'],
  'ipc-host': ['--ipc', 'host'],
  'userns-host': ['--userns', 'host'],
  'cgroupns-private': ['--cgroupns', 'private'],
  limits: ['--memory', '64m', '--pids-limit', '50', '--cpus', '0.5', '--ulimit', 'nofile=64:128'],
  hardened:
    '--cap-drop ALL --user 1000:1000 --read-only --security-opt no-new-privileges --network none --tmpfs /tmp --pids-limit 200 --memory 128m'.split(
      ' ',
    ),
}

/** What Docker's engine gave on the kernel of the virtual machine (cgroup v2), by setting: made by test/vm/record-probe. */
export const recordedOnV2 = fileURLToPath(new URL('./probe-on-v2.json.br', import.meta.url))

interface Found {
  readonly rlimits: Readonly<Record<string, unknown>>
}

/** What the probe found under Docker (JSON), on a kernel like this one: what a kernel lacks is nowhere a weakness. */
export function dockersProbe(setting: string): string {
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers'))
    return readFileSync(shared(`security/expected/docker-${setting}.json`)!, 'utf8')
  const all = JSON.parse(brotliDecompressSync(readFileSync(recordedOnV2)).toString()) as Record<string, Found>
  const [usual, here] = [all['default']!.rlimits, rlimitsHere()]
  const rlimits = Object.entries(all[setting]!.rlimits).map(([name, limit]) => [
    name,
    isDeepStrictEqual(limit, usual[name]) ? here[name] : limit,
  ])
  return JSON.stringify({ ...all[setting], rlimits: Object.fromEntries(rlimits) })
}

/** Of a process that is told none, by name: what the kernel makes of the machine's memory, and whoever started the engine gave it. */
function rlimitsHere(): Readonly<Record<string, unknown>> {
  const lines = readFileSync('/proc/self/limits', 'utf8').matchAll(/^Max .+? {2,}(\S+) +(\S+)/gm)
  const amount = (text = '') => (text === 'unlimited' ? text : Number(text))
  const all = [...lines].map(([, soft, hard], i) => [rlimitName(i), { soft: amount(soft), hard: amount(hard) }])
  const files = givenFiles(fileLimits())
  return { ...Object.fromEntries(all), ...(files && { nofile: files }) }
}
