/** The settings of `docker run` in which the isolation probe is compared, and what Docker's engine lets it do there. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
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

/** What the probe found under Docker (JSON), on a kernel like this one: what a kernel lacks is nowhere a weakness. */
export function dockersProbe(setting: string): string {
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers'))
    return readFileSync(shared(`security/expected/docker-${setting}.json`)!, 'utf8')
  const all = JSON.parse(brotliDecompressSync(readFileSync(recordedOnV2)).toString()) as Record<string, unknown>
  return JSON.stringify(all[setting])
}
