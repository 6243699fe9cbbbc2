/** The groups above those of containers: made in each hierarchy, so that a process can be put below them. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import type { HostFacts } from './host.ts'
import { cgroupFolder, cgroupFolders } from './parts/cgroup.ts'

/** Our own group in each hierarchy, and what the kernel offers in it; on cpuset v1 its children begin with its processors and memory nodes. */
export async function prepareCgroups(facts: HostFacts, parent: string): Promise<HostFacts> {
  const folders = cgroupFolders(facts.cgroup, parent)
  await Promise.all(folders.map(folder => mkdir(folder, { recursive: true })))
  const files = new Set((await Promise.all(folders.map(folder => readdir(folder)))).flat())
  if (facts.cgroup.version === 1) await prepareCpuset(facts, parent, { anew: true })
  return { ...facts, cgroup: { ...facts.cgroup, files } }
}

/** A group of somebody else's choice, which stays; what stands in it already is left as it is. */
export async function prepareParent(facts: HostFacts, parent: string): Promise<void> {
  await Promise.all(cgroupFolders(facts.cgroup, parent).map(folder => mkdir(folder, { recursive: true })))
  if (facts.cgroup.version === 2) return
  const names = parent.split('/')
  for (let depth = 1; depth <= names.length; depth++)
    await prepareCpuset(facts, names.slice(0, depth).join('/'), { anew: false })
}

/** A new cpuset has neither processors nor memory nodes, and takes no process before it has. */
async function prepareCpuset(facts: HostFacts, path: string, { anew }: { readonly anew: boolean }): Promise<void> {
  const cpuset = cgroupFolder(facts.cgroup, 'cpuset', path)
  const above = cgroupFolder(facts.cgroup, 'cpuset', path.split('/').slice(0, -1).join('/'))
  if (cpuset === undefined) return
  await writeFile(`${cpuset}/cgroup.clone_children`, '1')
  for (const file of ['cpuset.cpus', 'cpuset.mems'])
    if (anew || (await readFile(`${cpuset}/${file}`, 'utf8')).trim() === '')
      await writeFile(`${cpuset}/${file}`, await readFile(`${above}/${file}`, 'utf8'))
}
