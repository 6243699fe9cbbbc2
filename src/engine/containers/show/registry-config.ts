import { isRange, mirrorsOf, type RegistrySettings } from '../../images/registry/settings.ts'

/** What `info` says of registries. Clients of Go read each range as one and fail as a whole over anything else, so that hosts are told by their names. */
export function registryConfig(settings: RegistrySettings) {
  const { insecure, mirrors } = settings
  const index = (name: string, secure: boolean) => ({
    Name: name,
    Mirrors: mirrorsOf(name, settings).map(String),
    Secure: secure,
    Official: name === 'docker.io',
  })
  const hosts = insecure.filter(each => !isRange(each))
  return {
    IndexConfigs: {
      ...Object.fromEntries(hosts.map(host => [host, index(host, false)])),
      'docker.io': index('docker.io', true),
    },
    InsecureRegistryCIDRs: [...new Set(['::1/128', '127.0.0.0/8', ...insecure.filter(isRange)])],
    Mirrors: mirrors.length > 0 ? mirrors : null,
  }
}
