@echo off
rem Opens the board. Drop a settings file (patrolplan.toml) on this file to open its week; without
rem one it is the week of the fictional borough.
setlocal
if not exist "%~dp0environment\Scripts\patrolplan.exe" goto missing
if "%~1"=="" goto here
cd /d "%~dp1"
"%~dp0environment\Scripts\patrolplan.exe" board --config "%~1"
goto end
:here
cd /d "%~dp0"
"%~dp0environment\Scripts\patrolplan.exe" board
goto end
:missing
echo Run install.cmd first.
:end
pause
