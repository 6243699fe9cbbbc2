/** A name that somebody has given to a target, as the options it stands for. */
import { isFailure } from '../lib/failure.ts'
import { list } from '../lib/text.ts'
import { type NamedTargets, readNamedTargets } from '../state/named-targets.ts'
import { targetNames } from '../targets/target.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'
import { targetWord } from './target-name.ts'

type Given = Pick<Call, 'globals' | 'env' | 'cwd'>

/** `globals` and `env` with the kind of the target, and where it is; what the command line says of that itself counts more. */
export function withNamedTarget<T extends Given>(given: T): Pick<T, 'globals' | 'env'> {
  const { globals, env } = given
  const said = targetWord(given)
  if (said !== undefined && isKind(said.word)) return given
  const { targets, current } = known(env)
  const name = said?.word ?? current
  if (name === undefined) return given
  if (isKind(name)) return { globals: { ...globals, target: name }, env }
  const found = Object.hasOwn(targets, name) ? targets[name] : undefined
  if (!found)
    throw usage(
      `${said?.where ?? 'the target in use'} is "${name}", which is no target`,
      `Targets are ${list([...targetNames, ...Object.keys(targets)])}`,
    )
  const { kind, host, context, namespace, kubeconfig } = found
  return {
    globals: {
      ...globals,
      target: kind,
      host: globals.host ?? host,
      context: globals.context ?? context,
      namespace: globals.namespace ?? namespace,
    },
    env: kubeconfig === undefined ? env : { ...env, KUBECONFIG: kubeconfig },
  }
}

export function isKind(word: string): boolean {
  return (targetNames as readonly string[]).includes(word)
}

/** Where no state can be kept there are none. */
function known(env: Call['env']): NamedTargets {
  try {
    return readNamedTargets({ env })
  } catch (error) {
    if (isFailure(error, 'invalid')) return { targets: {} }
    throw error
  }
}
