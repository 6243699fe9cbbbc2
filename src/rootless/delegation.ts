/** A group of cgroup v2 that the user's systemd gives away: words in front of a command that put it into one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from './program-path.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * None where there is no such systemd: then the group that this process is in has to do. The scope goes with its last process; it has no name of ours, since
 * containers may still be in one of before.
 */
export function delegation(env: Env): readonly string[] {
  const folder = env['XDG_RUNTIME_DIR']
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers') || folder === undefined) return []
  if (!existsSync(join(folder, 'systemd/private'))) return []
  const run = programPath('systemd-run', env)
  if (run === undefined) return []
  const properties = ['--property=Delegate=yes', '--property=TasksMax=infinity']
  return [run, '--user', '--scope', '--quiet', '--collect', '--description=tscompose', ...properties, '--']
}
