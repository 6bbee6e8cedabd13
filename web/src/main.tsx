import { createRoot } from 'react-dom/client';
import { MantineProvider } from '@mantine/core';
import '@mantine/core/styles.css';
const root = document.getElementById('root');
if (root) createRoot(root).render(<MantineProvider withCssVariables={false}>Hello</MantineProvider>);
