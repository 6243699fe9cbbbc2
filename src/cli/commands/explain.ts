/** The program that made a container, step by step, with the line of the stack behind each step. */
import { endpoints } from '../../api/endpoints.ts'
import { Failure, isFailure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import type { Project } from '../../model/project.ts'
import { filesOf } from '../../targets/engine/plan/file-objects.ts'
import { nameOf, numberOf } from '../../view/names.ts'
import { type Call, command } from '../command.ts'
import { placeText } from '../failures.ts'
import { usage } from '../options.ts'
import { loadProject } from '../project.ts'
import { replicasOf } from '../replicas.ts'

interface Step {
  readonly phase: string
  readonly text: string
  readonly cause: string
  /** Where in the stack the cause stands. */
  readonly place: string | undefined
  readonly field: string | undefined
}

export const explain = command({
  usage: '[OPTIONS] SERVICE',
  about: 'Only for containers made by our own engine: another one does not tell.',
  options: {
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first)' },
    format: { kind: 'text', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default) or json' },
  },
  examples: [
    ['tscompose explain web', 'what its container may do, and why'],
    ['tscompose explain --index 2 web', 'of its second replica'],
  ],
  async run(call) {
    const [service] = call.args
    if (service === undefined || call.args.length > 1) throw usage('"explain" takes one service')
    const { client, containers } = await replicasOf(call, { all: true, services: [service] })
    const container = containers.find(each => call.options.index === undefined || numberOf(each) === call.options.index)
    if (!container)
      throw new Failure('not-found', `Cannot explain service "${service}": it has no container`, {
        hint: 'Create it with "tscompose up -d"',
      })
    const { Lines: found } = await client
      .call(endpoints.containerProgram, { params: { id: container.Id } }, { signal: call.signal })
      .catch(error => {
        if (isFailure(error, 'not-found') || isFailure(error, 'unsupported'))
          throw new Failure(
            'unsupported',
            `Cannot explain "${nameOf(container)}": the engine at "${client.host}" does not tell how it was made`,
            { cause: error },
          )
        throw error
      })
    const locate = await locator(call, service)
    const steps = found.map(
      ({ Phase: phase, Text: text, Cause: cause }): Step => ({
        phase,
        text,
        cause,
        place: undefined,
        field: undefined,
        ...locate(cause),
      }),
    )
    if (call.options.format === 'json') call.screen.print(JSON.stringify(steps, null, 2))
    else for (const line of stepLines(steps, call)) call.screen.print(line)
  },
})

/** Ids are cut short here; --format json has them whole. */
function stepLines(steps: readonly Step[], { screen: { paint } }: Pick<Call, 'screen'>): readonly string[] {
  const number = String(steps.length).length
  const texts = steps.map(step => printable(step.text).replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…'))
  const width = Math.min(72, Math.max(0, ...texts.map(text => text.length)))
  return steps.map(({ phase, cause, place, field }, i) => {
    const why = place === undefined ? cause : `${place} ${field}`
    const head = `${String(i + 1).padStart(number)} ${paint(phase === 'host' ? 'magenta' : 'blue', phase.padEnd(5))} ${texts[i]!.padEnd(width)}`
    return why === '' ? head.trimEnd() : `${head}  ${paint('dim', `# ${printable(why)}`)}`
  })
}

type Locate = (cause: string) => { place?: string; field?: string }

/** API field → place in the stack; without a stack file the fields speak for themselves. */
async function locator(call: Call, name: string): Promise<Locate> {
  let project: Project
  try {
    project = (await loadProject(call)).project
  } catch (error) {
    if (isFailure(error, 'not-found')) return () => ({})
    throw error
  }
  const service = project.services[name] ?? project.disabledServices[name]
  if (!service) return () => ({})
  const { originsOf } = await import('../../targets/engine/plan/container-body.ts')
  // the hashes only serve a label here: that the files are there is enough
  const origins = originsOf(project, service, new Map(filesOf(project).map(file => [file, ''])))
  return cause => {
    // several fields may be behind one step: the first that the stack speaks of
    const path = cause
      .split(', ')
      .map(field => originOf(origins, field))
      .find(found => found !== undefined)
    // a service as a whole says nothing of this field: then it is the default of the engine
    const place = path && path.length > 2 ? project.place(path) : undefined
    return path && place ? { place: placeText(place), field: path.join('.') } : {}
  }
}

/** The longest field that `cause` begins with: HostConfig.Mounts[2].Source → HostConfig.Mounts[2] → HostConfig.Mounts. */
export function originOf(
  origins: Readonly<Record<string, readonly string[]>>,
  cause: string,
): readonly string[] | undefined {
  for (let field = cause; field !== ''; ) {
    if (Object.hasOwn(origins, field)) return origins[field]
    const cut = Math.max(field.lastIndexOf('.'), field.lastIndexOf('['))
    field = cut < 0 ? '' : field.slice(0, cut)
  }
  return undefined
}
