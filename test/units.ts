/**
 * What the run of all tests begins as processes of their own. A start of Node costs more than most files of tests do, so the files of a folder
 * share one; those of the kernel and the scenarios, which start programs and wait for them, and those that take long have one each.
 */
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Files from the project's root that one process takes one after the other. */
export interface Unit {
  readonly name: string
  readonly files: readonly string[]
}

/** Files that take longest, as a run tells at its end, in this order: begun last they would be what it waits for, alone. */
export const long: readonly string[] = [
  'scenario/swarm-nodes',
  'scenario/update-under-load',
  'scenario/escape/network',
  'scenario/escape/entering',
  'scenario/web',
  'scenario/buildx',
  'scenario/broken-off',
  'scenario/watched-images',
  'scenario/rootless',
  'scenario/registry-peers',
  'scenario/escape/floods',
  'scenario/examples',
  'scenario/web-files',
  'scenario/docker-commands',
  'scenario/build-stack',
  'scenario/keeper',
  'scenario/isolation',
  'scenario/kernel-objects',
  'scenario/keeper-life',
  'scenario/systemd',
  'scenario/swarm',
  'scenario/kubernetes',
  'scenario/user-namespaces',
  'engine/containers/damage',
  'engine/containers/disk-full',
  'property/convergence',
  'installation/package',
  'engine/build/files/copy',
  'engine/build/files/git-fetch',
  'engine/buildkit/mirrors',
  'language/server',
  'targets/engine/support',
  'warm/warm',
].map(name => `test/${name}.test.ts`)

/** All there is, or the part that needs no kernel, or the part that does. */
export function unitsOf(root: string, part?: 'fast' | 'kernel'): Unit[] {
  // what others have written is none of ours: test/mutate has packages of its own
  const found = (pattern: string) => globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] }).sort()
  const kernel = first(found('test/{scenario,kernel}/**/*.test.ts').map(alone))
  const fast = first(byFolder(found('test/!(kernel|scenario)/**/*.test.ts')))
  if (part === 'kernel') return kernel
  if (part === 'fast') return fast
  return spread(fast, kernel)
}

export const alone = (file: string): Unit => ({ name: file, files: [file] })

function byFolder(files: readonly string[]): Unit[] {
  const short = files.filter(file => !long.includes(file))
  const folders = [...Map.groupBy(short, dirname)].map(
    ([name, of]): Unit => (of.length > 1 ? { name, files: of } : alone(of[0]!)),
  )
  return [...files.filter(file => long.includes(file)).map(alone), ...folders]
}

function first(units: readonly Unit[]): Unit[] {
  const place = ({ name }: Unit) => (long.includes(name) ? long.indexOf(name) : long.length)
  return units.toSorted((one, other) => place(one) - place(other))
}

/** Both kinds among each other, each in its order and both at an even pace. */
function spread<T>(one: readonly T[], other: readonly T[]): T[] {
  const [few, many] = one.length < other.length ? [one, other] : [other, one]
  let taken = 0
  const upTo = (i: number) => many.slice(taken, (taken = Math.round(((i + 1) * many.length) / few.length)))
  return few.flatMap((each, i) => [each, ...upTo(i)])
}

/** The file for Node's runner. A suite for each file of a folder keeps hooks to the file that has them. */
export function entryOf(root: string, { name, files }: Unit): string {
  if (files.length === 1) return resolve(root, files[0]!)
  const folder = join(root, 'node_modules/.cache/tests')
  const path = join(folder, `${name.replaceAll('/', '-')}.js`)
  const suites = files.map(
    file => `suite(${JSON.stringify(file)}, () => import(${JSON.stringify(resolve(root, file))}))`,
  )
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, `import { suite } from 'node:test'\n${suites.join('\n')}\n`)
  return path
}
