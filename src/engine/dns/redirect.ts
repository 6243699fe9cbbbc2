/** Leads port 53 of 127.0.0.11 in a sandbox to the ports our server has there. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ownProgram } from '../../installation/own-program.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import { dnsAddress } from './host-files.ts'

/** Both ways: what is sent to port 53 arrives at our port, and our answers come from port 53. */
export function redirectRules(ports: { readonly udp: number; readonly tcp: number }): string {
  return `add table ip tscompose_dns
flush table ip tscompose_dns
add chain ip tscompose_dns output { type nat hook output priority -100; policy accept; }
add rule ip tscompose_dns output ip daddr ${dnsAddress} udp dport 53 dnat to ${dnsAddress}:${ports.udp}
add rule ip tscompose_dns output ip daddr ${dnsAddress} tcp dport 53 dnat to ${dnsAddress}:${ports.tcp}
`
}

/**
 * Sets the rule from a process of its own: libnftables keeps the namespace it was opened in, and the engine's threads never leave
 * theirs for longer than a socket takes. Costs some 60 ms, which only containers that are name servers pay.
 */
export async function redirect(sandbox: string, ports: { readonly udp: number; readonly tcp: number }): Promise<void> {
  const argv = [`--net=${sandbox}`, '--', ...ownProgram('redirect'), String(ports.udp), String(ports.tcp)]
  try {
    await promisify(execFile)('nsenter', argv, { env: {} })
  } catch (cause) {
    throw new Failure('internal', `Cannot lead port 53 of "${sandbox}" to its name server: ${messageOf(cause)}`, {
      cause,
    })
  }
}
