/** Steps of the instructions that touch no file: ENV, ARG, LABEL, CMD, WORKDIR of "/", and what the checks find in them. */
import { parseExposed } from '../../dockerfile/expose.ts'
import type { ArgInstruction, TextInstruction } from '../../dockerfile/instruction.ts'
import { applyToConfig, type ConfigInstruction } from '../../images/config-instruction.ts'
import type { ConfigStep, WorkdirStep } from './plan.ts'
import type { Scope } from './scope.ts'

/** @returns what the history says. */
export function declareArguments(scope: Scope, instruction: ArgInstruction): string {
  const declared = instruction.args.map(({ key, value: written }) => {
    scope.reportSecret(instruction, 'ARG', key)
    const { given, globals } = scope.around
    const inherited = written === undefined ? globals.values.get(key) : undefined
    const value = given.get(key) ?? inherited ?? defaultOf(scope, instruction, written)
    scope.declare(key, value)
    return value === undefined ? key : `${key}=${value}`
  })
  return `ARG ${declared.join(' ')}`
}

function defaultOf(scope: Scope, { lines }: ArgInstruction, written: string | undefined): string | undefined {
  return written === undefined ? undefined : scope.expander(lines).word(written)
}

export function configStep(
  scope: Scope,
  instruction: ConfigInstruction | ArgInstruction | TextInstruction<'maintainer'>,
): ConfigStep {
  return {
    kind: 'config',
    label: labelText(scope, instruction.text),
    lines: instruction.lines,
    createdBy: apply(scope, instruction),
  }
}

function apply(scope: Scope, instruction: Parameters<typeof configStep>[1]): string | undefined {
  if (instruction.name === 'arg') return declareArguments(scope, instruction)
  if (instruction.name === 'maintainer') {
    scope.author = instruction.value
    return `MAINTAINER ${instruction.value}`
  }
  const expand = scope.expander(instruction.lines)
  const createdBy = applyToConfig(scope, instruction, expand)
  check(scope, instruction)
  if (instruction.name === 'env') {
    for (const [key, value] of assigned(scope, instruction)) scope.setVariable(key, value)
  }
  if (instruction.name === 'cmd') scope.config['ArgsEscaped'] = true
  return createdBy
}

/** What ENV has just set, read back from the configuration: its values were expanded with those before. */
function assigned(
  scope: Scope,
  instruction: ConfigInstruction & { name: 'env' },
): readonly (readonly [string, string])[] {
  return instruction.pairs.map(({ key }) => {
    const name = scope.expand(key).text
    const pair = scope.config.Env!.find(each => each.startsWith(`${name}=`))!
    return [name, pair.slice(name.length + 1)]
  })
}

function check(scope: Scope, instruction: ConfigInstruction): void {
  const { checks } = scope.around
  const { lines } = instruction
  switch (instruction.name) {
    case 'env':
    case 'label':
      for (const { key, legacy } of instruction.pairs) {
        if (legacy) {
          const [now, before] = [`${instruction.keyword} key=value`, `${instruction.keyword} key value`]
          const message = `"${now}" should be used instead of legacy "${before}" format`
          checks.report('LegacyKeyValueFormat', lines, message)
        }
        if (instruction.name === 'env') scope.reportSecret(instruction, 'ENV', scope.expand(key).text)
      }
      break
    case 'cmd':
    case 'entrypoint':
      scope.reportTwice(instruction)
      if (instruction.command.shell && !scope.config.Shell?.length) {
        const message = `JSON arguments recommended for ${instruction.keyword} to prevent unintended behavior related to OS signals`
        checks.report('JSONArgsRecommended', lines, message)
      }
      break
    case 'healthcheck':
      scope.reportTwice(instruction)
      break
    case 'expose':
      for (const word of instruction.values.flatMap(each => scope.expand(each).words)) {
        const { oddCase, ofHost } = parseExposed(word)
        if (oddCase) {
          const message = `Defined protocol '${word}' in EXPOSE instruction should be lowercase`
          checks.report('ExposeProtoCasing', lines, message)
        }
        if (ofHost) {
          const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`
          checks.report('ExposeInvalidFormat', lines, message)
        }
      }
      break
    default:
      break
  }
}

/** WORKDIR makes its folder, unless it is the root. */
export function workdirStep(
  scope: Scope,
  instruction: TextInstruction<'workdir'>,
  label: (text: string) => string,
): WorkdirStep | ConfigStep {
  const { lines } = instruction
  const written = scope.expand(instruction.value).text
  if (!scope.workdirSet && !written.startsWith('/')) {
    const message = `Relative workdir "${written}" can have unexpected results if the base image changes`
    scope.around.checks.report('WorkdirRelativePath', lines, message)
  }
  scope.workdirSet = true
  const createdBy = applyToConfig(scope, instruction, scope.expander(lines))
  const text = labelText(scope, instruction.text)
  if (scope.cwd === '/') return { kind: 'config', label: text, lines, createdBy }
  return { kind: 'workdir', label: label(text), lines, createdBy, path: scope.cwd, user: scope.user }
}

/** The instruction as it is shown: its keyword in upper case, variables filled in where that can be done. */
export function labelText(scope: Scope, text: string, ...how: DropFirst<Parameters<Scope['expand']>>): string {
  let shown = text
  try {
    shown = scope.expand(text, ...how).text
  } catch {
    // quotes that are for a shell, not for us: shown as it is written
  }
  return shown.replace(/^\S+/, keyword => keyword.toUpperCase())
}

type DropFirst<T extends readonly unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never
