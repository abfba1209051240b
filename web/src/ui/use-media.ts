import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Whether a media query holds, as long as it does. */
export function useMedia(query: string): boolean {
  const holds = useSignal(matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const look = (): void => {
      holds.value = media.matches;
    };
    look();
    media.addEventListener('change', look);
    return () => media.removeEventListener('change', look);
  }, [query]);
  return holds.value;
}
