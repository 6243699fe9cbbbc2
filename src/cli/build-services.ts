/** What `build` does once it is known of which services: plan, then print, check or build, and push. */

import type { Project } from '../model/project.ts'
import { observe } from '../targets/engine/observe.ts'
import { nothingMissing } from '../targets/engine/observed.ts'
import { buildsOf } from '../targets/engine/perform/builds.ts'
import type { BuildFlags } from '../targets/engine/plan/build-order.ts'
import { imagesOf } from '../targets/engine/plan/images.ts'
import { applyPlan } from './apply-plan.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'
import { pushedTags, pushImages } from './push-images.ts'

export interface Wanted {
  readonly services: readonly string[]
  readonly 'build-arg': readonly string[]
  readonly ssh: readonly string[]
  readonly 'no-cache': boolean
  readonly pull: boolean
  readonly push: boolean
  readonly print: boolean
  readonly check: boolean
  readonly quiet: boolean
  readonly provenance: string | undefined
  readonly sbom: string | undefined
}

export async function buildServices(call: Call, project: Project, wanted: Wanted): Promise<number> {
  const flags: BuildFlags = {
    args: argsOf(wanted['build-arg'], call.env),
    noCache: wanted['no-cache'],
    pull: wanted.pull,
    ssh: wanted.ssh.map(sshOf),
    provenance: wanted.provenance,
    sbom: wanted.sbom,
  }
  const options = { services: wanted.services, when: 'always', flags } as const
  if (wanted.print) {
    const { bakeFile } = await import('./bake-file.ts')
    call.screen.print(
      JSON.stringify(bakeFile(await buildsOf(project, nothingMissing(imagesOf(project)), options)), null, 2),
    )
    return 0
  }
  const client = await call.connect()
  const images = imagesOf(project)
  const observed = await observe(client, project.name, { signal: call.signal, images, containersOnly: true })
  const plan = await buildsOf(project, observed, options)
  if (wanted.check) {
    const { checkBuilds } = await import('./check-builds.ts')
    return await checkBuilds(call, client, plan)
  }
  const quiet = wanted.quiet ? { ...call, globals: { ...call.globals, progress: 'quiet' } } : call
  await applyPlan(quiet, { plan, client, stack: project, nothing: '' })
  const built = plan.nodes.flatMap(({ operation }) => (operation.kind === 'build-image' ? operation.services : []))
  const tags = [...new Set(built.flatMap(name => pushedTags(project.services[name]!)))]
  if (!wanted.push) return 0
  if (!call.globals['dry-run'])
    await pushImages(call, tags, { client, quiet: quiet.globals.progress === 'quiet', ignoreFailures: false })
  else for (const tag of tags) call.screen.say(` ${tag} Would be pushed`)
  return 0
}

/** A name alone takes the value of the variable, and is left out without one. */
function argsOf(
  list: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const args: Record<string, string> = Object.create(null)
  for (const each of list) {
    const at = each.indexOf('=')
    const value = at < 0 ? env[each] : each.slice(at + 1)
    if (value !== undefined) args[at < 0 ? each : each.slice(0, at)] = value
  }
  return args
}

/** "default", "id=path", "path" of the default one. */
function sshOf(text: string): { readonly id: string; readonly path?: string } {
  const at = text.indexOf('=')
  if (at < 0 && text === '') throw usage('invalid ssh: it is empty', 'It should be "default" or ID=PATH')
  if (at < 0) return { id: text }
  return { id: text.slice(0, at), path: text.slice(at + 1) }
}
