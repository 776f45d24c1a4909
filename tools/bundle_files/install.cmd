@echo off
rem Installs patrolplan into the folder "environment" next to this file, without a network.
setlocal
cd /d "%~dp0"
py -@PYTHON@ -c "" >nul 2>nul
if errorlevel 1 goto other
py -@PYTHON@ install.py
goto end
:other
python -c "" >nul 2>nul
if errorlevel 1 goto missing
python install.py
goto end
:missing
echo Python @PYTHON@ (64 bit) was not found. Have it installed (python.org, or your software portal), and begin again.
:end
pause
