/** The body of a network's creation → what is wrong with it, and the subnets it asks for; pure. */
import type { IpamPool, NetworkCreate } from '../../api/networks.ts'
import { Failure } from '../../lib/failure.ts'
import { formatSubnet, parseAddress, parseSubnet } from './address.ts'
import { isBridgeName } from './firewall.ts'
import { checkPool, type PoolRequest, uniqueLocalSubnet, withGateway } from './ipam.ts'
import { type NetworkRecord, option, predefined, recordVersion } from './network.ts'

/**
 * What can be told of a request by itself.
 * @throws Failure in Docker's words: `plugin "x" not found` for a driver nobody has.
 */
export function checkCreate(body: NetworkCreate): void {
  const { Name: name, Driver: driver = '' } = body
  if (!name?.trim()) throw new Failure('invalid', 'invalid name: name is empty')
  // what no address of the API and no line of a log can hold
  if (/[\p{Cc}/]/u.test(name))
    throw new Failure(
      'invalid',
      `invalid network name ${JSON.stringify(name)}: it holds a slash or a control character`,
    )
  if ([...predefined, 'default'].includes(name))
    throw new Failure('denied', `operation is not permitted on predefined ${name} network `)
  if (driver === 'host' || driver === 'null')
    throw new Failure('denied', `only one instance of "${driver}" network is allowed`)
  if (driver === 'overlay')
    throw new Failure(
      'denied',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    )
  if (['macvlan', 'ipvlan'].includes(driver))
    throw new Failure('unsupported', `Cannot create network "${name}": driver "${driver}" is not supported, bridge is`)
  if (driver !== '' && driver !== 'default' && driver !== 'bridge')
    throw new Failure('not-found', `plugin "${driver}" not found`)
  const ipam = body.IPAM?.Driver ?? ''
  if (ipam !== '' && ipam !== 'default') throw new Failure('not-found', `plugin "${ipam}" not found`)
  if (body.Scope === 'swarm')
    throw new Failure('denied', 'cannot create a swarm scoped network when swarm is not active')
  if (body.Ingress) throw new Failure('denied', 'Ingress network can only be global scope network')
  const ofOperators = body.Internal || body.Attachable || (body.Scope ?? '') !== ''
  if (body.ConfigOnly && ofOperators)
    throw new Failure(
      'denied',
      'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
    )
  if (body.ConfigOnly && body.ConfigFrom?.Network)
    throw new Failure('denied', 'a configuration network cannot depend on another configuration network')
  if (body.EnableIPv4 === false && !body.EnableIPv6) throw new Failure('invalid', 'IPv4 or IPv6 must be enabled')
}

/** The options of a network that is to be used. @throws Failure naming the option as Docker does. */
export function checkOptions({ Options, Internal, ConfigOnly }: NetworkCreate): void {
  if (ConfigOnly) return
  const options = Options ?? {}
  const wrong = (name: string, why: string) =>
    new Failure('invalid', `failed to parse ${name} value: ${options[name]} (${why})`)
  const { bridge, mtu, icc, masquerade, binding, inhibitIPv4 } = option
  if (options[bridge] !== undefined && !isBridgeName(options[bridge]))
    throw wrong(bridge, 'it should be of letters, digits, "_" and "-", 15 at most')
  if (options[mtu] !== undefined && !/^\d{2,5}$/.test(options[mtu]))
    throw wrong(mtu, `strconv.Atoi: parsing ${JSON.stringify(options[mtu])}: invalid syntax`)
  for (const name of [icc, masquerade, inhibitIPv4])
    if (options[name] !== undefined && !['true', 'false'].includes(options[name]))
      throw wrong(name, `strconv.ParseBool: parsing ${JSON.stringify(options[name])}: invalid syntax`)
  if (options[binding] !== undefined && !/^\d+\.\d+\.\d+\.\d+$/.test(options[binding]))
    throw wrong(binding, 'it should be an IPv4 address')
  for (const name of [option.gatewayMode4, option.gatewayMode6])
    checkGatewayMode(name, options[name], Internal ?? false)
}

function checkGatewayMode(name: string, mode: string | undefined, internal: boolean): void {
  switch (mode) {
    case undefined:
    case '':
    case 'nat':
      return
    case 'isolated':
      if (internal) return
      // 500 from Docker too
      throw new Failure('internal', "gateway mode 'isolated' can only be used for an internal network")
    case 'routed':
    case 'nat-unprotected':
      throw new Failure('unsupported', `Cannot honour ${name} "${mode}": this engine has nat and isolated`)
    default:
      throw new Failure('invalid', `failed to parse ${name} value: ${mode} (unknown gateway mode ${mode})`)
  }
}

/** The request with what its configuration network says. @throws Failure in Docker's words. */
export function withConfiguration(body: NetworkCreate, config: NetworkRecord | undefined): NetworkCreate {
  const from = body.ConfigFrom?.Network
  if (!from) return body
  if (!config?.configOnly) throw new Failure('not-found', `configuration network "${from}" does not exist`)
  const isSpecified = (values: object | null | undefined) => Object.keys(values ?? {}).length > 0
  if (isSpecified(body.Options) || isSpecified(body.Labels) || isSpecified(body.IPAM?.Config) || body.EnableIPv6)
    throw new Failure(
      'denied',
      'user specified configurations are not supported if the network depends on a configuration network',
    )
  const { enableIPv4, enableIPv6, options, labels, pools, ipamOptions } = config
  return {
    ...body,
    EnableIPv4: enableIPv4,
    EnableIPv6: enableIPv6,
    Options: options,
    Labels: labels,
    IPAM: {
      Options: ipamOptions,
      Config: pools.map(({ subnet, ipRange, gateway, auxiliary }) => ({
        Subnet: subnet,
        ...(ipRange && { IPRange: ipRange }),
        ...(gateway && { Gateway: gateway }),
        ...(auxiliary && { AuxiliaryAddresses: auxiliary }),
      })),
    },
  }
}

/** What is kept of a request that has been checked; `freePool` gives a subnet where none is asked. */
export function recordOf(
  body: NetworkCreate,
  { id, freePool }: { readonly id: string; readonly freePool: () => PoolRequest },
): NetworkRecord {
  const configOnly = body.ConfigOnly ?? false
  const enableIPv4 = body.EnableIPv4 ?? true
  const enableIPv6 = body.EnableIPv6 ?? false
  const asked = requestedPools(body.IPAM?.Config)
  for (const mark of configOnly ? [] : ['.', ':'])
    if (asked.filter(pool => pool.subnet.includes(mark)).length > 1)
      throw new Failure('denied', "bridge driver doesn't support multiple subnets")
  const isMissing = (mark: string) => !configOnly && !asked.some(pool => pool.subnet.includes(mark))
  const pools: PoolRequest[] = [
    ...(enableIPv4 && isMissing('.') ? [{ ...freePool(), automatic: true as const }] : []),
    // what is asked for a family that is off is kept and shown, and not used
    ...asked,
    ...(enableIPv6 && isMissing(':') ? [{ ...withGateway(uniqueLocalSubnet(id)), automatic: true as const }] : []),
  ]
  return {
    version: recordVersion,
    id,
    name: body.Name,
    created: new Date().toISOString(),
    driver: configOnly ? 'null' : 'bridge',
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    enableIPv4,
    enableIPv6,
    configOnly,
    configFrom: body.ConfigFrom?.Network ?? '',
    ipamOptions: body.IPAM?.Options ? { ...body.IPAM.Options } : null,
    options: { ...body.Options },
    labels: { ...body.Labels },
    pools: pools.map(pool => ({ ...pool, auxiliary: pool.auxiliary && { ...pool.auxiliary } })),
  }
}

/** The subnets a request names. @throws Failure `invalid`, also for an entry without one: what else it says would be of nothing. */
function requestedPools(config: readonly IpamPool[] | null | undefined): PoolRequest[] {
  return (config ?? []).map(entry => {
    const request = poolRequest(entry)
    checkForm('subnet', request.subnet)
    if (request.ipRange) checkForm('ip-range', request.ipRange)
    const { subnet } = checkPool(request)
    return { ...request, subnet: formatSubnet(subnet) }
  })
}

/** @throws Failure `invalid` in Docker's words for a subnet by one of its addresses. */
function checkForm(what: string, text: string): void {
  const subnet = parseSubnet(text)
  if (subnet && parseAddress(text.split('/')[0]!)?.value !== subnet.base)
    throw new Failure(
      'invalid',
      `invalid network config:\ninvalid ${what} ${text}: it should be ${formatSubnet(subnet)}`,
    )
}

function poolRequest(entry: IpamPool): PoolRequest {
  return {
    subnet: entry.Subnet ?? '',
    ...(entry.IPRange ? { ipRange: entry.IPRange } : {}),
    ...(entry.Gateway ? { gateway: entry.Gateway } : {}),
    ...(entry.AuxiliaryAddresses && Object.keys(entry.AuxiliaryAddresses).length > 0
      ? { auxiliary: entry.AuxiliaryAddresses }
      : {}),
  }
}
