/** Commands of builds that the engine before left running: nobody waits for them, so they end with all they held. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, messageOf } from '../../../lib/failure.ts'
import type { Runtime } from '../../../runtime/runtime.ts'
import type { Say } from '../../base/aside.ts'
import type { Paths } from '../../base/paths.ts'
import { removeFolder } from '../../base/remove-folder.ts'

interface Needs {
  readonly paths: Paths
  readonly runtime: Runtime
  readonly say: Say
}

/** Never fails: what cannot be ended is said, and tried again at the next start. */
export async function endCommands(needs: Needs): Promise<void> {
  const { paths, say } = needs
  const ids = await readdir(paths.buildRuns)
  await Promise.all(
    ids.map(async id => {
      try {
        await endCommand(needs, id)
      } catch (error) {
        say(`Cannot end what is left of command "${id}" of a build: ${messageOf(error)}`)
      }
    }),
  )
}

async function endCommand({ paths, runtime }: Needs, id: string): Promise<void> {
  const folder = paths.buildRun(id)
  const cgroup = (await textIfThere(join(folder, 'cgroup'))) ?? paths.name.cgroup(id)
  const found = await runtime.adopt(join(folder, 'monitor'), { pid: 0, cgroup })
  if (found?.kind === 'running') {
    found.signal(9)
    await found.exited
  }
  await runtime.runHost({
    kind: 'host',
    operations: [
      { kind: 'delete-cgroup', path: cgroup },
      { kind: 'delete-sandbox', path: paths.sandbox(id) },
    ],
  })
  await removeFolder(folder)
}

async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
