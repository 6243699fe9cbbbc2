/** The groups above those of containers: made in each hierarchy, so that a process can be put below them. */
import { chmodSync, mkdirSync } from 'node:fs'
import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, normalize } from 'node:path'
import { debug } from '../lib/debug.ts'
import { errnoOf, messageOf } from '../lib/failure.ts'
import type { CgroupFacts, HostFacts } from './host.ts'
import { cgroupFolder, cgroupFolders } from './parts/cgroup.ts'
import { limitControllers } from './parts/cgroup-limits.ts'
import { scopeOf } from './parts/systemd-scope.ts'

const log = debug('runtime')

/**
 * Our own group in each hierarchy, and what the kernel offers in it; on cpuset v1 its children begin with its processors and memory nodes.
 * Without root rights there may be none that we can write to: then containers have no group, and whoever asks for a limit is told why.
 */
export async function prepareCgroups(facts: HostFacts, parent: string): Promise<HostFacts> {
  try {
    return await prepared(facts, parent)
  } catch (error) {
    if (!facts.rootless || !['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) throw error
    log('no group: %s', messageOf(error))
    const { version } = facts.cgroup
    const none =
      version === 1
        ? 'this engine has no root rights, and cgroup v1 gives none of its groups to other users'
        : 'this engine has no root rights, and no cgroup was delegated to its user'
    return { ...facts, cgroup: { version, mounts: {}, files: new Set(), none } }
  }
}

async function prepared(facts: HostFacts, parent: string): Promise<HostFacts> {
  const folders = cgroupFolders(facts.cgroup, parent)
  for (const folder of folders) {
    makeGroup(folder)
    // an engine of before has closed it to others, and its containers keep it there
    chmodSync(folder, 0o755)
  }
  if (facts.cgroup.version === 2) return { ...facts, cgroup: await prepareUnified(facts.cgroup, parent) }
  const files = new Set((await Promise.all(folders.map(folder => readdir(folder)))).flat())
  await prepareCpuset(facts, parent, { anew: true })
  return { ...facts, cgroup: { ...facts.cgroup, files } }
}

/**
 * A group, with those above it that are not there. Whatever our umask, others may pass: kernels such as 6.12 look for the group of a container
 * that mounts it as that container's root, which in a user namespace is nobody here. At once, so that nobody finds it before they may.
 */
export function makeGroup(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined) return
  for (let made = normalize(folder); made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755)
}

/** Of ours, when no container stands in it. */
export async function removeEmptyGroup(facts: CgroupFacts, parent: string): Promise<void> {
  for (const folder of cgroupFolders(facts, parent))
    try {
      await rmdir(folder)
    } catch (error) {
      // EBUSY: it has groups or processes
      if (!['EBUSY', 'ENOENT', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error
    }
}

/** A group of somebody else's choice, which stays; what stands in it already is left as it is. */
export async function prepareParent(facts: HostFacts, parent: string): Promise<void> {
  for (const folder of cgroupFolders(facts.cgroup, parent)) makeGroup(folder)
  if (facts.cgroup.version === 2) {
    await handDown(facts.cgroup, parent)
    return
  }
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

/** What is handed down to a group on v2 is what there is for those of containers. */
async function prepareUnified(facts: CgroupFacts, parent: string): Promise<CgroupFacts> {
  const own = await handDown(facts, parent)
  const handed = new Set(await words(`${own}/cgroup.subtree_control`))
  const files = new Set(await readdir(own))
  const kept = Object.entries(facts.mounts).filter(([name]) => handed.has(name) || !limitControllers.includes(name))
  return { ...facts, mounts: Object.fromEntries(kept), files }
}

/**
 * The controllers of limits, switched on in every group from where ours begin down to this one, for the groups below it. One that
 * cannot be (realtime processes keep the kernel from handing down cpu, for one) is left out, and its limits are lacking.
 */
async function handDown(facts: CgroupFacts, path: string): Promise<string> {
  const mount = facts.mounts.unified!
  const room = facts.scope === undefined ? undefined : scopeOf(facts.scope, path).folder
  let folder = room === undefined ? mount : `${mount}/${room}`
  for (const name of ['', ...path.split('/')]) {
    if (name !== '') folder = `${folder}/${name}`
    const [offered, on] = await Promise.all([
      words(`${folder}/cgroup.controllers`),
      words(`${folder}/cgroup.subtree_control`),
    ])
    for (const controller of offered.filter(each => limitControllers.includes(each) && !on.includes(each)))
      await switchOn(folder, controller)
  }
  return folder
}

async function switchOn(folder: string, controller: string): Promise<void> {
  try {
    await writeFile(`${folder}/cgroup.subtree_control`, `+${controller}`, { flag: 'r+' })
  } catch (error) {
    if (!['EBUSY', 'EINVAL', 'ENOENT', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) throw error
    log('%s is not handed down in %s: %s', controller, folder, messageOf(error))
  }
}

async function words(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'utf8')).split(/\s+/).filter(Boolean)
}
