import {
  type ContainerInspect,
  type ContainerProgram,
  type ContainerSummary,
  containerEndpoints,
} from '../../api/containers.ts'
import { listedName } from '../../api/listed-name.ts'
import { capabilitiesOf } from '../../audit/capabilities.ts'
import type { Client } from '../../client/client.ts'
import { Failure, isFailure } from '../../lib/failure.ts'
import { plural, printable } from '../../lib/text.ts'
import { factsOf } from '../../view/explain/facts.ts'
import { rightsOf } from '../../view/explain/security.ts'
import type { ProgramStep } from '../../view/explain/steps.ts'
import { numberOf } from '../../view/names.ts'
import { type Call, command } from '../command.ts'
import { factLines, rightLines, type ShownFact, type ShownStep, stepLines } from '../explain-lines.ts'
import { type Locate, locator } from '../explain-places.ts'
import { usage } from '../options.ts'
import { replicasOf } from '../replicas.ts'

export const explain = command({
  usage: '[OPTIONS] SERVICE',
  about:
    'What is done before its first program runs, by what it is about, with the line of the stack behind it. The steps themselves are told by our own engine alone; --security asks any.',
  options: {
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first)' },
    all: { kind: 'flag', short: 'a', about: 'What every container gets, too' },
    steps: { kind: 'flag', about: 'The steps of the kernel one by one, in their order' },
    security: { kind: 'flag', about: 'What it may do, and how that differs from the default' },
    format: { kind: 'text', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default) or json' },
    json: { kind: 'flag', about: 'The same as --format json' },
  },
  examples: [
    ['tscompose explain web', 'what was done for its container because of the stack'],
    ['tscompose explain --all web', 'and what every container gets'],
    ['tscompose explain --security web', 'what it may do, and how that differs from the default'],
    ['tscompose explain --index 2 --steps web', 'the steps of the second replica'],
  ],
  async run(call) {
    const [service] = call.args
    const { options, screen } = call
    if (service === undefined || call.args.length > 1) throw usage('"explain" takes one service')
    if (options.security && (options.steps || options.all))
      throw usage('--security excludes --steps and --all: it shows all that there is')
    const { client, containers } = await replicasOf(call, { all: true, services: [service] })
    const container = containers.find(each => options.index === undefined || numberOf(each) === options.index)
    if (!container)
      throw new Failure('not-found', `Cannot explain service "${service}": it has no container`, {
        hint: 'Create it with "tscompose up -d"',
      })
    const locate = await locator(call, service)
    const isJson = options.json || options.format === 'json'
    const inspect = await client.call(containerEndpoints.containerInspect, { params: { id: container.Id } }, call)
    if (options.security) return tellRights(call, { inspect, locate, isJson })
    const { Lines } = await programOf(call, client, container)
    const located = withoutDefaults(locate, inspect)
    const steps = Lines.map(
      ({
        Phase: phase,
        Text: text,
        Cause: cause,
        Name: name,
        Arguments: args = {},
      }): ShownStep & Partial<ProgramStep> => ({
        phase,
        text,
        cause,
        place: undefined,
        field: undefined,
        name,
        args,
        ...located(cause, args),
      }),
    )
    const facts = factsFor(steps, options.all || isJson)
    if (options.steps && isJson) screen.print(JSON.stringify(steps, null, 2))
    else if (isJson)
      screen.print(
        JSON.stringify({ version: 1, container: listedName(container), service, facts: facts?.shown, steps }, null, 2),
      )
    else if (options.steps || facts === undefined) screen.printAll(stepLines(steps, screen.paint))
    else {
      screen.printAll([
        `${screen.paint('bold', printable(listedName(container)))}, made by ${plural(steps.length, 'step')}`,
      ])
      screen.printAll(factLines(facts.shown, screen.paint))
      if (facts.folded > 0)
        screen.print(`\n${plural(facts.folded, 'default')} not shown: see "tscompose explain --all ${service}"`)
    }
  },
})

async function programOf(call: Call, client: Client, container: ContainerSummary): Promise<ContainerProgram> {
  try {
    return await client.call(containerEndpoints.containerProgram, { params: { id: container.Id } }, call)
  } catch (error) {
    if (isFailure(error, 'not-found') || isFailure(error, 'unsupported'))
      throw new Failure(
        'unsupported',
        `Cannot explain "${listedName(container)}": the engine at "${client.host}" does not tell how it was made`,
        { cause: error, hint: 'See what it may do with --security' },
      )
    throw error
  }
}

/** Sysctls are one field: those that the engine adds are nobody's line. */
function withoutDefaults(locate: Locate, { HostConfig: { Sysctls } }: ContainerInspect) {
  return (cause: string, args: ProgramStep['args']) => {
    const name = /^\/proc\/sys\/(.*)$/.exec(String(args['path'] ?? ''))?.[1]?.replaceAll('/', '.')
    if (cause === 'HostConfig.Sysctls' && name !== undefined && !Object.hasOwn(Sysctls ?? {}, name))
      return { cause: 'default' }
    return locate(cause)
  }
}

interface Facts {
  readonly shown: readonly ShownFact[]
  readonly folded: number
}

/** Undefined for an engine that tells its steps as texts alone. */
function factsFor(steps: readonly (ShownStep & Partial<ProgramStep>)[], all: boolean): Facts | undefined {
  if (steps.some(({ name }) => name === undefined)) return undefined
  const facts = factsOf(steps as readonly ProgramStep[]).map((fact): ShownFact => {
    const { place, field } = steps[fact.steps.at(-1)! - 1]!
    return { ...fact, place, field }
  })
  const shown = all ? facts : facts.filter(({ place }) => place !== undefined)
  return { shown, folded: facts.length - shown.length }
}

function tellRights(
  { screen }: Call,
  {
    inspect,
    locate,
    isJson,
  }: { readonly inspect: ContainerInspect; readonly locate: Locate; readonly isJson: boolean },
): void {
  const { CapAdd, CapDrop } = inspect.HostConfig
  const rights = rightsOf({
    container: inspect,
    capabilities: {
      has: capabilitiesOf({ capAdd: CapAdd ?? [], capDrop: CapDrop ?? [] }),
      usual: capabilitiesOf({ capAdd: [], capDrop: [] }),
    },
  }).map(right => ({ ...right, ...(right.usual === undefined ? {} : locate(right.fields.join(', '))) }))
  const container = inspect.Name.replace(/^\//, '')
  if (isJson) screen.print(JSON.stringify({ version: 1, container, rights }, null, 2))
  else screen.printAll([screen.paint('bold', printable(container)), ...rightLines(rights, screen.paint)])
}
