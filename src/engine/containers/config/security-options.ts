/** HostConfig.SecurityOpt → what it asks for: pure. */
import { Failure } from '../../../lib/failure.ts'

/** The filter of system calls, before it is known which capabilities open it further. */
export type SeccompChoice =
  | { readonly kind: 'default' }
  | { readonly kind: 'unconfined' }
  | { readonly kind: 'profile'; readonly profile: unknown }

export interface SecurityOptions {
  readonly noNewPrivileges: boolean
  /** Undefined: the default, or none when privileged. */
  readonly seccomp: SeccompChoice | undefined
  readonly apparmor: string | undefined
  /** systempaths=unconfined: nothing masked or read-only. */
  readonly unmasked: boolean
  /** Undefined: when privileged. */
  readonly writableCgroups: boolean | undefined
}

/** @throws Failure `invalid` or `unsupported` naming the option. */
export function checkSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false
  let seccomp: SeccompChoice | undefined
  let apparmor: string | undefined
  let unmasked = false
  let writableCgroups: boolean | undefined
  for (const option of options) {
    const [, name, value] = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option) ?? []
    switch (name) {
      case 'no-new-privileges':
        if (value !== undefined && value !== 'true' && value !== 'false')
          throw new Failure('invalid', `invalid --security-opt: "${option}"`)
        noNewPrivileges = value !== 'false'
        break
      case 'seccomp':
        seccomp = seccompOf(value ?? '')
        break
      case 'apparmor':
        apparmor = value
        break
      case 'systempaths':
        if (value !== 'unconfined') throw new Failure('invalid', `invalid --security-opt: "${option}"`)
        unmasked = true
        break
      case 'writable-cgroups':
        if (![undefined, 'true', 'false'].includes(value))
          throw new Failure('invalid', `invalid --security-opt 2: "${option}"`)
        writableCgroups = value !== 'false'
        break
      case 'label':
        if (value !== 'disable')
          throw new Failure(
            'unsupported',
            `Cannot honour security option "${option}": this engine sets no SELinux labels`,
          )
        break
      default:
        throw new Failure('invalid', `invalid --security-opt ${value === undefined ? 1 : 2}: "${option.slice(0, 100)}"`)
    }
  }
  return { noNewPrivileges, seccomp, apparmor, unmasked, writableCgroups }
}

function seccompOf(value: string): SeccompChoice {
  if (value === 'unconfined') return { kind: 'unconfined' }
  if (value === 'builtin' || value === '') return { kind: 'default' }
  try {
    return { kind: 'profile', profile: JSON.parse(value) as unknown }
  } catch (cause) {
    const words = value.startsWith('/') ? 'it is the name of a file, and should be what stands in it' : 'it is not JSON'
    throw new Failure('invalid', `Decoding seccomp profile failed: ${words}`, { cause })
  }
}
